// Images of networks on a canvas.
#pragma once

#include <torch/torch.h>

#include "terragen/core/canvas.h"

namespace terragen::tensor {

// The first three bands, of fewer the first as grey, with the upper left corner at (left, top).
// image: [B, H, W] in [-1, 1]; values beyond are clamped.
void draw_image(Canvas& canvas, const torch::Tensor& image, int left, int top);

}  // namespace terragen::tensor
