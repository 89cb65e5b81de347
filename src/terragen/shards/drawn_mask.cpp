#include "terragen/shards/drawn_mask.h"

#include "terragen/layout/rasterise.h"
#include "terragen/layout/vectorise.h"

namespace terragen::shards {

torch::Tensor drawn_mask(const layout::Geometry& geometry, int width, int height) {
  return mask_from_pixels(layout::rasterise(geometry, width, height), width, height);
}

torch::Tensor mask_from_pixels(const std::vector<std::uint8_t>& pixels, int width, int height) {
  return torch::tensor(at::ArrayRef<std::uint8_t>(pixels), torch::kUInt8).view({height, width}).to(torch::kFloat32);
}

torch::Tensor labelled_mask(const layout::Layout& layout) {
  if (!layout.mask) return torch::ones({layout.height, layout.width});
  return mask_from_pixels(layout.mask->values, layout.width, layout.height).ne(layout::kUnlabelled).to(torch::kFloat32);
}

void draw_disc(torch::Tensor& mask, double x, double y, double radius) {
  const torch::Tensor ys = torch::arange(mask.size(0)).view({-1, 1}).to(torch::kFloat32);
  const torch::Tensor xs = torch::arange(mask.size(1)).view({1, -1}).to(torch::kFloat32);
  mask.masked_fill_(((ys - y).square() + (xs - x).square()).lt(radius * radius), 1.0);
}

std::vector<std::uint8_t> pixels_from_mask(const torch::Tensor& mask) {
  const torch::Tensor bytes = mask.gt(0.5).to(torch::kCPU, torch::kUInt8).contiguous();
  return {bytes.const_data_ptr<std::uint8_t>(), bytes.const_data_ptr<std::uint8_t>() + bytes.numel()};
}

layout::Geometry outline_of(const torch::Tensor& mask) {
  layout::Geometry outline;
  outline.parts =
      layout::vectorise(pixels_from_mask(mask), static_cast<int>(mask.size(1)), static_cast<int>(mask.size(0)));
  return outline;
}

void label_region(layout::Layout& layout, const torch::Tensor& mask, int class_index, int x, int y) {
  if (!layout.mask) {
    const layout::Affine moved{.c = static_cast<double>(x), .f = static_cast<double>(y)};
    layout.features.push_back({class_index, layout::transform(outline_of(mask), moved), false, {}});
    return;
  }
  const std::vector<std::uint8_t> inside = pixels_from_mask(mask);
  const std::int64_t width = mask.size(1);
  for (std::int64_t k = 0; k < mask.numel(); ++k) {
    if (inside[static_cast<std::size_t>(k)] == 0) continue;
    const std::int64_t pixel = (k / width + y) * layout.width + k % width + x;
    layout.mask->values[static_cast<std::size_t>(pixel)] = static_cast<std::uint8_t>(class_index);
  }
}

}  // namespace terragen::shards
