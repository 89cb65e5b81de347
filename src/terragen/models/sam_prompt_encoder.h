// Segment Anything's prompts as the mask decoder takes them: points and boxes as tokens, masks as a map (Kirillov et
// al. 2023, arXiv 2304.02643).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/sam_layers.h"

namespace terragen::models {

// Undefined tensors are absent; all others have the same N.
struct MaskPrompts {
  torch::Tensor points;  // [N, K, 2] x, y in pixels, a pixel's number meaning its centre; float32 or float64
  torch::Tensor labels;  // [N, K], of the points: 1 in the object, 0 beside it, -1 no point
  torch::Tensor boxes;   // [N, 4] x0, y0, x1, y1 in pixels, likewise
  torch::Tensor masks;   // [N, 1, 4 h, 4 w], logits as they were predicted before

  std::int64_t count() const;  // N; 0 where nothing is there
  // RequestError for shapes, labels or numbers that cannot be, and where nothing is there.
  void validate() const;
};

// sparse: [N, L, C]; dense: [N or 1, C, h, w].
struct EmbeddedPrompts {
  torch::Tensor sparse, dense;
};

// pe_layer, point_embeddings.0 .. .3, not_a_point_embed, mask_downscaling, no_mask_embed.
class SamPromptEncoderImpl : public torch::nn::Module {
 public:
  // grid: cells a side of the image's features; image_size: pixels a side of the network's input.
  SamPromptEncoderImpl(std::int64_t channels, std::int64_t grid, std::int64_t image_size, std::int64_t mask_channels);
  // Prompts in pixels of the network's input, on its device. RequestError where they are not valid.
  EmbeddedPrompts forward(const MaskPrompts& prompts);
  // What tells the cells of the image's features apart: [1, C, h, w].
  torch::Tensor places() { return pe_layer_->grid(grid_); }

 private:
  torch::Tensor encoded(const torch::Tensor& pixels);
  torch::Tensor embedded_mask(const torch::Tensor& masks);

  std::int64_t grid_, image_size_;
  RandomFourierEncoding pe_layer_{nullptr};
  std::vector<torch::nn::Embedding> point_embeddings_;  // beside, in; corners of boxes
  torch::nn::Embedding not_a_point_{nullptr}, no_mask_{nullptr};
  std::vector<torch::nn::Conv2d> mask_convolutions_;
  std::vector<ChannelNorm> mask_norms_;
};
TORCH_MODULE(SamPromptEncoder);

}  // namespace terragen::models
