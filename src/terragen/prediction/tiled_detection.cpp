#include "terragen/prediction/tiled_detection.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"

namespace terragen::prediction {
namespace {

// A box that comes this near to an edge of its tile is taken for cut, in pixels: boxes are not exact.
constexpr double kNearEdge = 2;

struct FoundInTile {
  models::Detection object;
  layout::Bounds bounds;
  bool cut = false;  // by an edge of its tile that is not the image's
};

FoundInTile found_in(const geo::PixelWindow& tile, models::Detection object, int width, int height) {
  object.box.cx += tile.x;
  object.box.cy += tile.y;
  const layout::Bounds b = layout::bounds_of(layout::make_oriented_box(object.box));
  const bool cut = (tile.x > 0 && b.x0 < tile.x + kNearEdge) || (tile.y > 0 && b.y0 < tile.y + kNearEdge) ||
                   (tile.x + tile.width < width && b.x1 > tile.x + tile.width - kNearEdge) ||
                   (tile.y + tile.height < height && b.y1 > tile.y + tile.height - kNearEdge);
  return {object, b, cut};
}

// Groups between which no bounds touch, so that each can be looked at alone: comparing all objects of a large image
// with each other would take longer than finding them.
std::vector<std::vector<std::size_t>> touching_groups(const std::vector<FoundInTile>& found) {
  std::vector<std::size_t> order(found.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<std::size_t> parent = order;
  const auto root_of = [&parent](std::size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return found[i].bounds.y0; });
  std::vector<std::size_t> open;  // those that reach down to the row at hand
  for (const std::size_t i : order) {
    const layout::Bounds& b = found[i].bounds;
    std::erase_if(open, [&](std::size_t k) { return found[k].bounds.y1 < b.y0; });
    for (const std::size_t k : open) {
      if (found[k].bounds.x0 <= b.x1 && b.x0 <= found[k].bounds.x1) parent[root_of(k)] = root_of(i);
    }
    open.push_back(i);
  }
  std::vector<std::vector<std::size_t>> by_root(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) by_root[root_of(i)].push_back(i);
  std::erase_if(by_root, [](const auto& group) { return group.empty(); });
  return by_root;
}

// The share of `piece` that `whole` covers.
double covered_share(const layout::OrientedBox& piece, const layout::OrientedBox& whole, bool oriented) {
  const double area = piece.width * piece.height;
  if (area <= 0) return 1;
  const double iou = models::overlap_of(piece, whole, oriented);
  return iou / (1 + iou) * (area + whole.width * whole.height) / area;
}

std::vector<models::Detection> merged(const std::vector<FoundInTile>& found, const std::vector<std::size_t>& group,
                                      bool oriented, const models::DetectionOptions& options) {
  std::vector<models::Detection> whole;
  for (const std::size_t i : group) {
    if (!found[i].cut) whole.push_back(found[i].object);
  }
  whole = models::suppressed(whole, oriented, options);
  std::vector<models::Detection> all = whole;
  for (const std::size_t i : group) {
    const models::Detection& piece = found[i].object;
    const bool held = std::ranges::any_of(whole, [&](const models::Detection& w) {
      return w.class_index == piece.class_index && covered_share(piece.box, w.box, oriented) > options.most_overlap;
    });
    if (found[i].cut && !held) all.push_back(piece);
  }
  return models::suppressed(all, oriented, options);
}

}  // namespace

std::vector<models::Detection> detect_in_tiles(int width, int height, const TileOptions& tiles,
                                               const TileDetections& detections_of_tile, bool oriented,
                                               const models::DetectionOptions& options) {
  std::vector<FoundInTile> found;
  for (const geo::PixelWindow& tile : geo::tile_grid(width, height, tiles.size, tiles.overlap)) {
    if (interrupt_requested()) throw Interrupted("stopped; what was finished is kept");
    for (const models::Detection& object : detections_of_tile(tile)) {
      found.push_back(found_in(tile, object, width, height));
    }
  }
  models::DetectionOptions unlimited = options;
  unlimited.most = std::numeric_limits<int>::max();
  std::vector<models::Detection> objects;
  for (const std::vector<std::size_t>& group : touching_groups(found)) {
    const std::vector<models::Detection> kept = merged(found, group, oriented, unlimited);
    objects.insert(objects.end(), kept.begin(), kept.end());
  }
  std::ranges::stable_sort(objects, std::greater<>{}, &models::Detection::score);
  return objects;
}

}  // namespace terragen::prediction
