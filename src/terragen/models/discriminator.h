// Tells noisy latents of real images from painted ones, under their layout. Part of training alone.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/layout_encoder.h"
#include "terragen/nn/embeddings.h"

namespace terragen::models {

struct DiscriminatorConfig {
  std::int64_t latent_channels = 8;
  std::vector<std::int64_t> channels = {64, 128, 192};  // of the levels
  std::vector<std::int64_t> layout_channels;            // of F_k, as many
  std::int64_t time_dim = 256;                          // of LayoutEncoding::time_addition
};

// A residual block a level, each with the layout's features of that level, and a verdict from every cell of every
// level: the finest sees texture, the coarsest the arrangement.
class LatentDiscriminatorImpl : public torch::nn::Module {
 public:
  explicit LatentDiscriminatorImpl(const DiscriminatorConfig& config);
  // x: [N, C, h, w], noised to time step t: [N]. Result: verdicts of every level, [N, 1, h / 2^k, w / 2^k], float32,
  // positive for "real".
  std::vector<torch::Tensor> forward(const torch::Tensor& x, const torch::Tensor& t, const LayoutEncoding& layout);

 private:
  std::int64_t waves_;
  nn::TimestepEmbedding time_embedding_{nullptr};
  torch::nn::Conv2d conv_in_{nullptr};
  torch::nn::ModuleList layouts_{nullptr}, blocks_{nullptr}, verdicts_{nullptr}, downsamplers_{nullptr};
};
TORCH_MODULE(LatentDiscriminator);

}  // namespace terragen::models
