// Random blur of training images: so that sharpness, in which sensors and painters differ, tells a network nothing.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::training {

// images: [N, B, H, W]. Half of the images, at random, are blurred by a Gaussian whose deviation is drawn from
// [0, most] pixels; edges are mirrored.
torch::Tensor randomly_blurred(const torch::Tensor& images, double most, std::uint64_t seed);

}  // namespace terragen::training
