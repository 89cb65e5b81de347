// Small holes and islands of masks: regions whose pixels touch each other by edges or corners.
#pragma once

#include <torch/torch.h>

namespace terragen::models {

struct MendedMask {
  torch::Tensor mask;  // [H, W] bool, on the CPU
  bool changed = false;
};

// mask: [H, W] bool. Regions outside the mask of fewer than `area` pixels are filled, at the image's edge too.
MendedMask fill_small_holes(const torch::Tensor& mask, double area);
// Regions of the mask of fewer than `area` pixels are removed; where all are, the largest stays, of equal ones that of
// the first pixel row by row.
MendedMask remove_small_islands(const torch::Tensor& mask, double area);

}  // namespace terragen::models
