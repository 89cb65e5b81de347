// How far a decoded image is from the real one.
#pragma once

#include <torch/torch.h>

namespace terragen::training {

struct ReconstructionError {
  torch::Tensor absolute;     // mean over valid pixels and bands, scalar
  torch::Tensor square;       // likewise
  torch::Tensor differences;  // absolute error of the differences between neighbours, both axes: edges must stand
};

// decoded, image: [N, B, H, W] in [-1, 1], float32; valid: [N, 1, H, W], 1 where a pixel counts.
ReconstructionError reconstruction_error(const torch::Tensor& decoded, const torch::Tensor& image,
                                         const torch::Tensor& valid);

// Peak signal-to-noise ratio in decibels of a mean square error in [-1, 1].
double psnr_of(double square);

}  // namespace terragen::training
