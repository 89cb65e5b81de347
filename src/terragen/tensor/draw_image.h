// Images of networks on a canvas.
#pragma once

#include <torch/torch.h>

#include "terragen/core/canvas.h"

namespace terragen::tensor {

// The first three bands, of fewer the first as grey: [H, W, 3], uint8 on the processor.
// image: [B, H, W] in [-1, 1]; values beyond are clamped.
torch::Tensor rgb_bytes(const torch::Tensor& image);

// bytes: [H, W, 3], uint8 on the processor, with the upper left corner at (left, top).
void draw_bytes(Canvas& canvas, const torch::Tensor& bytes, int left, int top);
// The rgb_bytes of an image, likewise.
void draw_image(Canvas& canvas, const torch::Tensor& image, int left, int top);

}  // namespace terragen::tensor
