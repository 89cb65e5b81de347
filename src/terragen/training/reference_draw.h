// Self-supervision of the reference encoder: a thing is cut out of its image, shown as a picture, and to be painted
// again in the hole.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/shards/loader.h"

namespace terragen::training {

struct ReferenceDrawOptions {
  double share = 0.3;      // of samples from which a thing is cut, where one is fit
  double transplants = 0;  // of these, the share in which it comes from another sample of the batch
  int class_index = 0;     // of models::kReferenceClass
  int cell = 8;            // pixels of a latent cell
  int picture = 64;        // pixels a side of a reference
};

// Latent cells of sample `from` that come to lie in sample `to`.
struct Transplant {
  std::int64_t to = 0, from = 0;
  std::int64_t dx = 0, dy = 0;  // cells from there to here
  torch::Tensor cells;          // [S / cell, S / cell] bool, of sample `to`
};

struct ReferenceDraw {
  torch::Tensor present;                // [N] bool: a thing was cut
  torch::Tensor pictures;               // [N, B + 1, picture, picture], zero where not present
  torch::Tensor paint;                  // [N, 1, S / cell, S / cell], 1 = to be painted; all ones where not present
  std::vector<layout::Layout> layouts;  // the thing's class replaced by class_index
  std::vector<Transplant> transplants;
};

// A thing is a feature, or a 4-connected region of a class of a dense mask, that lies inside the crop, is at least 8
// pixels wide and high and covers at most 40 % of the crop. Half of the holes are its box, grown by up to a fifth of
// the room there is, half are blobs about it: the network must not read its outline off the hole. The picture is
// turned, mirrored, resized and recoloured, so that nothing can be copied. Deterministic in `seed`.
//
// What surrounds a thing says much of what it looks like. A transplant lies where nothing but the picture does: half of
// them are things, where there are any, the others blobs of ground, of one class where a mask names it. What a mask
// leaves unlabelled is never taken.
ReferenceDraw draw_references(const shards::Batch& batch, const ReferenceDrawOptions& options, std::uint64_t seed);

// latents: [N, C, S / cell, S / cell], with the draw's transplants in their places.
torch::Tensor transplanted(const torch::Tensor& latents, const std::vector<Transplant>& transplants);

}  // namespace terragen::training
