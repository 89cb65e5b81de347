// Where in one image the content of another stands again.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::metrics {

// Every place of one image that a window of a given size could have, made ready for any number of windows.
class WindowPlaces {
 public:
  // image: [B, H, W], values in [-1, 1]; windows of `height` and `width` pixels. With a `dilation` of d the pixels of a
  // place are d apart. RequestError where no window fits into the image.
  WindowPlaces(const torch::Tensor& image, std::int64_t height, std::int64_t width, std::int64_t dilation = 1);
  // The structure term of SSIM (Wang et al. 2004, equation 10) of every window with every place: covariance over the
  // product of deviations, over all pixels and bands, each band less its mean. 1 for the same content, whatever its
  // brightness and contrast; near 0 for what is unlike, and where one of the two is as good as flat.
  // windows: [n, B, height, width], values in [-1, 1]. [n, H - d (height - 1), W - d (width - 1)]; RequestError for
  // other sizes.
  torch::Tensor correlation(const torch::Tensor& windows) const;

 private:
  std::int64_t bands_, height_, width_;
  std::int64_t rows_, columns_;
  torch::Tensor places_;     // [B * height * width, rows * columns], each band less its mean
  torch::Tensor deviation_;  // [rows * columns]
};

// The same in one call.
torch::Tensor window_correlation(const torch::Tensor& windows, const torch::Tensor& image, std::int64_t dilation = 1);

}  // namespace terragen::metrics
