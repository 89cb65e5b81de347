#include "terragen/shards/reference_picture.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"

namespace terragen::shards {

torch::Tensor reference_picture(const torch::Tensor& image, const torch::Tensor& mask, std::int64_t size) {
  namespace fn = torch::nn::functional;
  const torch::Tensor rows = mask.gt(0).any(1).nonzero();
  const torch::Tensor columns = mask.gt(0).any(0).nonzero();
  if (rows.numel() == 0) throw InternalError("[reference_picture] the mask is empty");
  const auto y0 = rows.min().item<std::int64_t>();
  const auto x0 = columns.min().item<std::int64_t>();
  const std::int64_t height = rows.max().item<std::int64_t>() - y0 + 1;
  const std::int64_t width = columns.max().item<std::int64_t>() - x0 + 1;
  const std::int64_t larger = std::max(width, height);
  const std::int64_t side = larger + 2 * std::max<std::int64_t>(4, std::llround(0.15 * static_cast<double>(larger)));
  const std::int64_t top = y0 + height / 2 - side / 2;
  const std::int64_t left = x0 + width / 2 - side / 2;
  const torch::Tensor both = torch::cat({image, mask.unsqueeze(0).to(image.dtype())});
  // Negative padding cuts away.
  const torch::Tensor window =
      at::constant_pad_nd(both, {-left, left + side - image.size(2), -top, top + side - image.size(1)});
  return fn::interpolate(window.unsqueeze(0), fn::InterpolateFuncOptions()
                                                  .size(std::vector<std::int64_t>{size, size})
                                                  .mode(torch::kBilinear)
                                                  .align_corners(false)
                                                  .antialias(true))[0];
}

}  // namespace terragen::shards
