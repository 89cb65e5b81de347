#include "terragen/synthesis/reference_set.h"

#include "terragen/core/error.h"
#include "terragen/layout/things.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/shards/reference_picture.h"

namespace terragen::synthesis {
namespace {

constexpr double kLeastExtent = 6;    // pixels
constexpr double kMostOfImage = 0.5;  // of its area

}  // namespace

std::vector<layout::Geometry> placeable_things(const layout::Layout& layout, int class_index) {
  std::vector<layout::Geometry> things = layout::things_of(layout, class_index);
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
