// The picture of one thing, cut out of an image, as a reference encoder reads it.
#pragma once

#include <torch/torch.h>

namespace terragen::shards {

// A square about the thing with a margin of 15 % of its larger side (at least 4 pixels), resized bilinearly
// (antialiased): [B + 1, size, size], the bands, then the mask. What lies beyond the image is 0.
// image: [B, H, W], float32 in [-1, 1]; mask: [H, W], 1 where the thing is. InternalError for an empty mask.
torch::Tensor reference_picture(const torch::Tensor& image, const torch::Tensor& mask, std::int64_t size);

}  // namespace terragen::shards
