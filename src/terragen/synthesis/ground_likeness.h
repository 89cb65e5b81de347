// Whether ground looks like that on which known things stand: for scenes whose layouts do not name the ground.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/layout/rasterise.h"
#include "terragen/shards/sample.h"

namespace terragen::synthesis {

// A Gaussian of what bands and their local contrast are like in rings about known things.
class GroundLikeness {
 public:
  // Rings of `ring` pixels, one pixel off the features of `class_index` (of dense masks its regions); what other
  // features cover is left out. RequestError when the samples show nothing of the class, or less ground than the
  // Gaussian needs.
  GroundLikeness(const std::vector<shards::Sample>& examples, int class_index, int ring = 8);

  // For every pixel the share of the examples' own ground that looks less alike, in [0, 1].
  // image: [B, H, W], float32 in [-1, 1], of the examples' bands.
  layout::Plane of(const torch::Tensor& image) const;

 private:
  torch::Tensor mean_;       // [F]
  torch::Tensor precision_;  // [F, F]
  torch::Tensor distances_;  // of the examples' pixels, ascending
};

}  // namespace terragen::synthesis
