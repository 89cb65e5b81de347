// Self-supervision of the reference encoder: a thing is cut out of its image, shown as a picture, and to be painted
// again in the hole.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/shards/loader.h"

namespace terragen::training {

struct ReferenceDrawOptions {
  double share = 0.3;   // of samples from which a thing is cut, where one is fit
  int class_index = 0;  // of models::kReferenceClass
  int cell = 8;         // pixels of a latent cell
  int picture = 64;     // pixels a side of a reference
};

struct ReferenceDraw {
  torch::Tensor present;                // [N] bool: a thing was cut
  torch::Tensor pictures;               // [N, B + 1, picture, picture], zero where not present
  torch::Tensor paint;                  // [N, 1, S / cell, S / cell], 1 = to be painted; all ones where not present
  std::vector<layout::Layout> layouts;  // the thing's class replaced by class_index
};

// A thing is a feature, or a 4-connected region of a class of a dense mask, that lies inside the crop, is at least 8
// pixels wide and high and covers at most 40 % of the crop. Half of the holes are its box, grown by up to a fifth of
// the room there is, half are blobs about it: the network must not read its outline off the hole. The picture is
// turned, mirrored, resized and recoloured, so that nothing can be copied. Deterministic in `seed`.
ReferenceDraw draw_references(const shards::Batch& batch, const ReferenceDrawOptions& options, std::uint64_t seed);

}  // namespace terragen::training
