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

WindowPlaces::WindowPlaces(const torch::Tensor& image, std::int64_t height, std::int64_t width, std::int64_t dilation)
    : bands_(image.size(0)),
      height_(height),
      width_(width),
      rows_(image.size(1) - dilation * (height - 1)),
      columns_(image.size(2) - dilation * (width - 1)) {
  if (rows_ < 1 || columns_ < 1) {
    throw RequestError(std::format("windows of {}x{} pixels do not fit into an image of {}x{}", width, height,
                                   image.size(2), image.size(1)));
  }
  namespace fn = torch::nn::functional;
  const torch::Tensor unfolded =
      fn::unfold(image.unsqueeze(0), fn::UnfoldFuncOptions({height, width}).dilation(dilation));
  places_ = centred(unfolded.view({1, bands_, height * width, rows_ * columns_}))[0];
  deviation_ = places_.square().mean(0).sqrt();
}

torch::Tensor WindowPlaces::correlation(const torch::Tensor& windows) const {
  if (windows.size(1) != bands_ || windows.size(2) != height_ || windows.size(3) != width_) {
    throw RequestError(std::format("windows of {} bands and {}x{} pixels are looked for among places of {} and {}x{}",
                                   windows.size(1), windows.size(3), windows.size(2), bands_, width_, height_));
  }
  const torch::Tensor wanted = centred(windows.flatten(2));
  const torch::Tensor wanted_deviation = wanted.square().mean(1, true).sqrt();
  const torch::Tensor covariance = wanted.matmul(places_) / static_cast<double>(places_.size(0));
  return (covariance / (wanted_deviation * deviation_ + kStructureFloor)).view({-1, rows_, columns_});
}

torch::Tensor window_correlation(const torch::Tensor& windows, const torch::Tensor& image, std::int64_t dilation) {
  return WindowPlaces(image, windows.size(2), windows.size(3), dilation).correlation(windows);
}

}  // namespace terragen::metrics
