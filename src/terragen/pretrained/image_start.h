// Painting that begins at an image: all of it painted over, or a hole in it painted anew.
#pragma once

#include <torch/torch.h>

#include <optional>

#include "terragen/pretrained/stable_diffusion.h"

namespace terragen::pretrained {

struct ImageStart {
  torch::Tensor image;  // [H, W, 3], uint8, of the size painted; undefined: painting begins at noise
  torch::Tensor mask;   // [H, W], uint8, painted anew from 128 on; undefined: all of the image is painted over
  // In (0, 1], how much of the way from noise is gone. Left open it is 0.8, and 1 with a mask, so that what was in the
  // hole is forgotten.
  std::optional<double> strength;

  double chosen_strength() const { return strength.value_or(mask.defined() ? 1.0 : 0.8); }
  // RequestError naming what cannot be for an image of width x height pixels.
  void validate(int width, int height) const;
};

// Gives the request its image, hole and strength, for one image at a time. A cell of the latents is painted anew where
// any of its pixels is, so that no hole is too thin to be seen.
void begin_at(StableDiffusion& pipeline, const ImageStart& start, PaintingRequest& request);

// `painted` in the hole, `original` byte for byte around it. Decoded latents are a little off the image's colours:
// within 2 * reach pixels of the edge, what is painted is shifted by the difference that is seen around it.
// original, painted: [H, W, 3], uint8; mask: [H, W], uint8. Result: [H, W, 3], uint8.
torch::Tensor pasted_back(const torch::Tensor& original, const torch::Tensor& mask, const torch::Tensor& painted,
                          std::int64_t reach);

}  // namespace terragen::pretrained
