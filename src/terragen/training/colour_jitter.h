// Random brightness and contrast of training images.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::training {

// images: [N, B, H, W] in [-1, 1], each for itself: its difference to its mean grows or shrinks by up to the share
// `jitter`, its mean moves by up to `jitter`. Not cut to [-1, 1].
torch::Tensor colour_jittered(const torch::Tensor& images, double jitter, std::uint64_t seed);

}  // namespace terragen::training
