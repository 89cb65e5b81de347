#include "terragen/models/longest_side.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/resample.h"

namespace terragen::models {

ImageSize longest_side_size(const ImageSize& size, std::int64_t longest) {
  const std::int64_t side = std::max(size.height, size.width);
  if (size.height <= 0 || size.width <= 0 || longest <= 0) throw RequestError("an image of no size cannot be resized");
  const double scale = static_cast<double>(longest) / static_cast<double>(side);
  const auto scaled = [&](std::int64_t length) {
    return std::int64_t{std::llround(static_cast<double>(length) * scale)};
  };
  const ImageSize result{scaled(size.height), scaled(size.width)};
  if (result.height == 0 || result.width == 0) {
    throw RequestError(std::format("of an image of {} x {} pixels nothing is left at a longest side of {}", size.width,
                                   size.height, longest),
                       "cut it into pieces that are less elongated");
  }
  return result;
}

torch::Tensor resize_longest_side(const torch::Tensor& image, std::int64_t longest) {
  if (image.dim() != 3 || image.scalar_type() != torch::kUInt8 || !image.device().is_cpu()) {
    throw InternalError("[resize_longest_side] wants an image [H, W, C] of bytes on the CPU");
  }
  const ImageSize size = longest_side_size({image.size(0), image.size(1)}, longest);
  return nn::resize_bytes(image, size.height, size.width, nn::ByteFilter::bilinear);
}

torch::Tensor resize_images_longest_side(const torch::Tensor& images, std::int64_t longest) {
  const ImageSize size = longest_side_size({images.size(2), images.size(3)}, longest);
  return nn::resize_images(images, size.height, size.width, {.how = nn::Interpolation::bilinear, .antialias = true});
}

torch::Tensor move_points(const torch::Tensor& points, const ImageSize& from, const ImageSize& to) {
  const torch::Tensor scale = torch::tensor({static_cast<double>(to.width) / static_cast<double>(from.width),
                                             static_cast<double>(to.height) / static_cast<double>(from.height)},
                                            torch::kFloat64);
  return points.to(torch::kFloat64) * scale.to(points.device());
}

}  // namespace terragen::models
