// Where in one image the content of another stands again.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::metrics {

// The structure term of SSIM (Wang et al. 2004, equation 10) of every window with every place of the image: covariance
// over the product of deviations, over all pixels and bands, each band less its mean. 1 for the same content, whatever
// its brightness and contrast; near 0 for what is unlike, and where one of the two is as good as flat.
// windows: [n, B, h, w], image: [B, H, W]; values in [-1, 1]. With a `dilation` of d the pixels of a place are d apart.
// [n, H - d (h - 1), W - d (w - 1)]; RequestError where a window does not fit into the image.
torch::Tensor window_correlation(const torch::Tensor& windows, const torch::Tensor& image, std::int64_t dilation = 1);

}  // namespace terragen::metrics
