// One training sample: an image tile and the layout that describes it.
#pragma once

#include <torch/torch.h>

#include <string>

#include "terragen/layout/layout.h"

namespace terragen::shards {

struct Sample {
  torch::Tensor image;  // [B, H, W], float32 in [-1, 1]; 0 where not valid
  torch::Tensor valid;  // [H, W], float32, 1 where the pixel is measured, 0 for nodata, NaN and padding
  layout::Layout layout;
  std::string source;  // "dataset/image name", for provenance and error messages
};

}  // namespace terragen::shards
