// Which way an image's lines run, pixel by pixel.
#pragma once

#include <torch/torch.h>

#include "terragen/layout/rasterise.h"

namespace terragen::synthesis {

struct StructureField {
  layout::Plane direction;  // of lines, radians from +x towards +y, in [-pi/2, pi/2)
  layout::Plane coherence;  // in [0, 1]: 0 no direction, 1 one alone
};

// The structure tensor J = sum_s w_s G_s * (grad I grad I^T) of the bands' mean at scales of 2, 4 and 8 pixels (Bigun
// and Granlund 1987). Lines run across the gradient: direction = atan2(2 Jxy, Jxx - Jyy) / 2 + pi / 2, coherence = (l1
// - l2) / (l1 + l2). image: [B, H, W], float32.
StructureField structure_field(const torch::Tensor& image);

}  // namespace terragen::synthesis
