#include "terragen/metrics/window_correlation.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::metrics {
namespace {

// SSIM's C3 = C2 / 2 for values 2 apart: what deviations of four grey levels make half of.
constexpr double kStructureFloor = 0.5 * (0.03 * 2) * (0.03 * 2);

// [n, B, pixels, ...] less every band's mean over its pixels, as [n, B * pixels, ...].
torch::Tensor centred(const torch::Tensor& values) { return (values - values.mean(2, true)).flatten(1, 2); }

}  // namespace

torch::Tensor window_correlation(const torch::Tensor& windows, const torch::Tensor& image, std::int64_t dilation) {
  const std::int64_t bands = windows.size(1);
  const std::int64_t h = windows.size(2);
  const std::int64_t w = windows.size(3);
  const std::int64_t rows = image.size(1) - dilation * (h - 1);
  const std::int64_t columns = image.size(2) - dilation * (w - 1);
  if (rows < 1 || columns < 1 || image.size(0) != bands) {
    throw RequestError(std::format("windows of {} bands and {}x{} pixels do not fit into an image of {} and {}x{}",
                                   bands, w, h, image.size(0), image.size(2), image.size(1)));
  }
  namespace fn = torch::nn::functional;
  const torch::Tensor wanted = centred(windows.flatten(2));
  const torch::Tensor places = centred(fn::unfold(image.unsqueeze(0), fn::UnfoldFuncOptions({h, w}).dilation(dilation))
                                           .view({1, bands, h * w, rows * columns}))[0];
  const torch::Tensor deviation = places.square().mean(0).sqrt();
  const torch::Tensor wanted_deviation = wanted.square().mean(1, true).sqrt();
  const torch::Tensor covariance = wanted.matmul(places) / static_cast<double>(bands * h * w);
  return (covariance / (wanted_deviation * deviation + kStructureFloor)).view({-1, rows, columns});
}

}  // namespace terragen::metrics
