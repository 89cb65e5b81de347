#include "terragen/synthesis/reference_set.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"
#include "terragen/layout/things.h"
#include "terragen/layout/vectorise.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/shards/reference_picture.h"

namespace terragen::synthesis {
namespace {

constexpr double kLeastExtent = 6;    // pixels
constexpr double kMostOfImage = 0.5;  // of its area
constexpr int kMostRegion = 128;      // pixels a side of what is taken of a dense mask's region
constexpr int kLeastPixels = 36;

// Parts of a region, at most kMostRegion pixels a side.
std::vector<layout::Geometry> windows_of(const layout::Geometry& region) {
  const layout::Bounds bounds = layout::bounds_of(region);
  const auto parts = [](double extent) { return static_cast<int>(std::ceil(extent / kMostRegion)); };
  const int columns = parts(bounds.width());
  const int rows = parts(bounds.height());
  if (columns == 1 && rows == 1) return {region};
  const auto edge = [](double start, double extent, int i, int count) {
    return static_cast<int>(std::lround(start + extent * i / count));
  };
  std::vector<layout::Geometry> windows;
  for (int i = 0; i < rows * columns; ++i) {
    const int x = edge(bounds.x0, bounds.width(), i % columns, columns);
    const int y = edge(bounds.y0, bounds.height(), i / columns, rows);
    const int width = edge(bounds.x0, bounds.width(), i % columns + 1, columns) - x;
    const int height = edge(bounds.y0, bounds.height(), i / columns + 1, rows) - y;
    const layout::Affine there{.c = static_cast<double>(x), .f = static_cast<double>(y)};
    const layout::Geometry moved = layout::transform(region, {.c = -there.c, .f = -there.f});
    for (layout::Polygon& part :
         layout::vectorise(layout::rasterise(moved, width, height), width, height, kLeastPixels)) {
      layout::Geometry piece;
      piece.parts = {std::move(part)};
      windows.push_back(layout::transform(piece, there));
    }
  }
  return windows;
}

}  // namespace

std::vector<layout::Geometry> placeable_things(const layout::Layout& layout, int class_index) {
  std::vector<layout::Geometry> things = layout::objects_of(layout, class_index);
  // Lakes, woods and roads end where the image does and are larger than what any other scene has room for.
  for (const layout::Geometry& region : layout::regions_of(layout, class_index, kLeastPixels)) {
    std::ranges::move(windows_of(region), std::back_inserter(things));
  }
  std::erase_if(things, [&](const layout::Geometry& thing) {
    const layout::Bounds bounds = layout::bounds_of(thing);
    return bounds.width() < kLeastExtent || bounds.height() < kLeastExtent ||
           layout::area_of(thing) > kMostOfImage * layout.width * layout.height;
  });
  return things;
}

std::vector<Reference> references_of(const std::vector<shards::Sample>& examples, int class_index, int picture_size,
                                     std::size_t most) {
  std::vector<Reference> references;
  for (const shards::Sample& example : examples) {
    const layout::Layout& layout = example.layout;
    for (const layout::Geometry& thing : placeable_things(layout, class_index)) {
      if (references.size() == most) return references;
      const torch::Tensor mask = shards::drawn_mask(thing, layout.width, layout.height);
      if (!mask.any().item<bool>()) continue;  // beyond the image
      references.push_back({{thing, layout.gsd},
                            example.image,
                            mask,
                            shards::reference_picture(example.image, mask, picture_size),
                            example.source});
    }
  }
  return references;
}

std::size_t outline_boxes(std::vector<Reference>& references, MaskRefiner& refiner, const MaskPolicy& policy,
                          int picture_size) {
  std::size_t outlined = 0;
  for (Reference& reference : references) {
    const layout::GeometryKind kind = reference.footprint.geometry.kind;
    if (kind != layout::GeometryKind::box && kind != layout::GeometryKind::oriented_box) continue;
    // With as much ground on every side as the thing is large: a refiner learns from it what the thing is not.
    const layout::Bounds bounds = layout::bounds_of(reference.footprint.geometry);
    const double about = std::max({16.0, bounds.width(), bounds.height()});
    const auto from = [&](double start) { return static_cast<std::int64_t>(std::max(0.0, std::floor(start - about))); };
    const auto to = [&](double end, std::int64_t extent) {
      return std::min(extent, static_cast<std::int64_t>(std::ceil(end + about)));
    };
    const std::int64_t x0 = from(bounds.x0), x1 = to(bounds.x1, reference.mask.size(1));
    const std::int64_t y0 = from(bounds.y0), y1 = to(bounds.y1, reference.mask.size(0));
    const auto window = [&](const torch::Tensor& whole) {
      return whole.slice(-2, y0, y1).slice(-1, x0, x1).contiguous();
    };
    const torch::Tensor box = window(reference.mask);
    const RefinedMask found = tidied(refiner.refine(window(reference.image), box) * box, box, policy);
    if (!found.kept || found.mask.equal(box)) continue;
    reference.footprint.geometry =
        layout::transform(shards::outline_of(found.mask), {.c = static_cast<double>(x0), .f = static_cast<double>(y0)});
    torch::Tensor mask = torch::zeros_like(reference.mask);
    mask.slice(0, y0, y1).slice(1, x0, x1).copy_(found.mask);
    reference.mask = mask;
    reference.picture = shards::reference_picture(reference.image, mask, picture_size);
    ++outlined;
  }
  return outlined;
}

torch::Tensor warped(const Reference& reference, const layout::Affine& map, int width, int height) {
  const double determinant = map.a * map.e - map.b * map.d;
  if (determinant == 0) throw InternalError("[warped] the map cannot be turned round");
  // Pixel centres of the scene in the reference's pixels, then in grid_sample's -1..1 from edge to edge.
  const torch::Tensor ys = (torch::arange(height).to(torch::kFloat32) + 0.5).view({-1, 1}) - map.f;
  const torch::Tensor xs = (torch::arange(width).to(torch::kFloat32) + 0.5).view({1, -1}) - map.c;
  const torch::Tensor u = (map.e * xs - map.b * ys) / determinant;
  const torch::Tensor v = (map.a * ys - map.d * xs) / determinant;
  const auto source_width = static_cast<double>(reference.mask.size(1));
  const auto source_height = static_cast<double>(reference.mask.size(0));
  const torch::Tensor grid = torch::stack({2 * u / source_width - 1, 2 * v / source_height - 1}, -1).unsqueeze(0);
  const torch::Tensor both = torch::cat({reference.image, reference.mask.unsqueeze(0)}).unsqueeze(0);
  // 0: bilinear, 0: zeros beyond.
  const torch::Tensor sampled = at::grid_sampler(both, grid.to(torch::kFloat32), 0, 0, false)[0];
  const torch::Tensor mask = sampled.slice(0, sampled.size(0) - 1);
  return torch::cat({sampled.slice(0, 0, sampled.size(0) - 1) * mask.gt(0), mask});
}

}  // namespace terragen::synthesis
