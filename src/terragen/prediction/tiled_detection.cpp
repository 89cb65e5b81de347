#include "terragen/prediction/tiled_detection.h"

#include <limits>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/metrics/box_grid.h"

namespace terragen::prediction {
namespace {

// A box that comes this near to an edge of its tile is taken for cut, in pixels: boxes are not exact.
constexpr double kNearEdge = 2;

struct FoundInTile {
  models::Detection object;
  bool cut = false;  // by an edge of its tile that is not the image's
};

FoundInTile found_in(const geo::PixelWindow& tile, models::Detection object, int width, int height) {
  object.box.cx += tile.x;
  object.box.cy += tile.y;
  const metrics::Box b = models::bounds_of(object);
  const bool cut = (tile.x > 0 && b.x0 < tile.x + kNearEdge) || (tile.y > 0 && b.y0 < tile.y + kNearEdge) ||
                   (tile.x + tile.width < width && b.x1 > tile.x + tile.width - kNearEdge) ||
                   (tile.y + tile.height < height && b.y1 > tile.y + tile.height - kNearEdge);
  return {object, cut};
}

// The share of `piece` that `whole` covers.
double covered_share(const layout::OrientedBox& piece, const layout::OrientedBox& whole, bool oriented) {
  const double area = piece.width * piece.height;
  if (area <= 0) return 1;
  const double iou = models::overlap_of(piece, whole, oriented);
  return iou / (1 + iou) * (area + whole.width * whole.height) / area;
}

// What no edge cut comes first; a cut piece stays where nothing whole covers it.
std::vector<models::Detection> merged(const std::vector<FoundInTile>& found, bool oriented,
                                      const models::DetectionOptions& options) {
  std::vector<models::Detection> whole;
  for (const FoundInTile& one : found) {
    if (!one.cut) whole.push_back(one.object);
  }
  whole = models::suppressed(whole, oriented, options);
  std::vector<metrics::Box> bounds;
  for (const FoundInTile& one : found) bounds.push_back(models::bounds_of(one.object));
  metrics::BoxGrid grid(metrics::most_side(bounds));
  for (std::size_t i = 0; i < whole.size(); ++i) grid.add(i, models::bounds_of(whole[i]));
  std::vector<models::Detection> all = whole;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i].cut) continue;
    const models::Detection& piece = found[i].object;
    const bool held = grid.any_near(bounds[i], [&](std::size_t w) {
      return whole[w].class_index == piece.class_index &&
             covered_share(piece.box, whole[w].box, oriented) > options.most_overlap;
    });
    if (!held) all.push_back(piece);
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
  return merged(found, oriented, unlimited);
}

}  // namespace terragen::prediction
