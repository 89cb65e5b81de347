// Augmentation that moves image, validity and layout together.
#pragma once

#include <vector>

#include "terragen/core/seed.h"
#include "terragen/shards/sample.h"

namespace terragen::shards {

struct AugmentOptions {
  int crop = 256;              // pixels, the result is crop x crop
  double scale_jitter = 1.25;  // resized by a factor in [1 / jitter, jitter]; the GSD follows, so that it stays true
  bool turn = true;            // one of the eight flips and quarter turns
  double object_share = 0.75;  // of crops that are laid over a random feature, where there is one
  double least_share = 0.15;   // features of which less is left in the crop are dropped
  // Of crops that are laid over a pixel of a class of the dense mask, where there is one: rare-class sampling (Hoyer et
  // al. 2022, arXiv 2111.14887). The class is drawn among those present by `class_weights` (by number; empty: equal).
  double class_share = 0;
  std::vector<double> class_weights;
};

// Pixels beyond the image's edge are invalid. Deterministic in `random`.
Sample augment(const Sample& sample, const AugmentOptions& options, Random& random);
// The crop x crop window in the middle, unchanged otherwise.
Sample centre_crop(const Sample& sample, int crop);
// One of the eight symmetries of the square: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 transposes
// (applied in that order).
Sample turned(const Sample& sample, unsigned symmetry);
// The same of planes [..., H, W] alone.
torch::Tensor turned(const torch::Tensor& planes, unsigned symmetry);
// The one that takes a symmetry back.
unsigned inverse_symmetry(unsigned symmetry);

}  // namespace terragen::shards
