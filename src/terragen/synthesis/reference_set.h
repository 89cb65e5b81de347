// The examples of a class: what is to be placed, and what it looks like.
#pragma once

#include <torch/torch.h>

#include <limits>
#include <string>
#include <vector>

#include "terragen/shards/sample.h"
#include "terragen/synthesis/mask_refiner.h"
#include "terragen/synthesis/placement.h"

namespace terragen::synthesis {

struct Reference {
  Footprint footprint;
  torch::Tensor image;    // [B, H, W]: the example it is part of
  torch::Tensor mask;     // [H, W], float32, 1 where it is
  torch::Tensor picture;  // [B + 1, S, S], see shards::reference_picture
  std::string source;
};

// The things of the class that are at least 6 pixels wide and high and cover at most half of the image: its features,
// and the regions of a dense mask, large ones cut into windows of at most 128 pixels a side.
std::vector<layout::Geometry> placeable_things(const layout::Layout& layout, int class_index);

// The placeable things of the class in the examples, the first `most` of them. picture_size: pixels.
std::vector<Reference> references_of(const std::vector<shards::Sample>& examples, int class_index, int picture_size,
                                     std::size_t most = std::numeric_limits<std::size_t>::max());

// A box says where a thing is and not what shape it has: of references that are boxes the refiner finds the outline. A
// box whose thing it does not find (see MaskPolicy) stays one. Returns how many were outlined.
std::size_t outline_boxes(std::vector<Reference>& references, MaskRefiner& refiner, const MaskPolicy& policy,
                          int picture_size);

// The reference as it lies in a scene: [B + 1, height, width], its bands where it is and 0 elsewhere, then its mask in
// [0, 1]; sampled bilinearly. scene_from_reference: pixels to pixels.
torch::Tensor warped(const Reference& reference, const layout::Affine& scene_from_reference, int width, int height);

}  // namespace terragen::synthesis
