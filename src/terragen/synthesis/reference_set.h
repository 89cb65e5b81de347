// The examples of a class: what is to be placed, and what it looks like.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "terragen/shards/sample.h"
#include "terragen/synthesis/placement.h"

namespace terragen::synthesis {

struct Reference {
  Footprint footprint;
  torch::Tensor image;    // [B, H, W]: the example it is part of
  torch::Tensor mask;     // [H, W], float32, 1 where it is
  torch::Tensor picture;  // [B + 1, S, S], see shards::reference_picture
  std::string source;
};

// Every thing of the class in the examples that is at least 6 pixels wide and high and covers at most half of its
// image. picture_size: pixels.
std::vector<Reference> references_of(const std::vector<shards::Sample>& examples, int class_index, int picture_size);

// The reference as it lies in a scene: [B + 1, height, width], its bands where it is and 0 elsewhere, then its mask in
// [0, 1]; sampled bilinearly. scene_from_reference: pixels to pixels.
torch::Tensor warped(const Reference& reference, const layout::Affine& scene_from_reference, int width, int height);

}  // namespace terragen::synthesis
