// Images and masks as the networks of Stable Diffusion take them.
#pragma once

#include <torch/torch.h>

namespace terragen::pretrained {

// [N, H, W, 3] or [H, W, 3], uint8, to [N, 3, H, W], float32 in [-1, 1].
torch::Tensor to_signed(const torch::Tensor& pixels);
// [H, W], uint8, to [1, 1, H, W], float32: 1 (from 128 on) where the image is painted anew, else 0.
torch::Tensor to_repaint(const torch::Tensor& mask);

}  // namespace terragen::pretrained
