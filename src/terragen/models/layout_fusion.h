// Fusion of the two branches at one scale: pixels ask the tokens, and an object speaks where it stands.
#pragma once

#include <torch/torch.h>

#include "terragen/nn/group_norm.h"

namespace terragen::models {

// F = P + CrossAttention(Q = P, K = V = tokens) with an additive prior -alpha * max(0, signed distance), alpha learned
// per head and positive. The output projection starts at zero.
class LayoutFusionImpl : public torch::nn::Module {
 public:
  LayoutFusionImpl(std::int64_t channels, std::int64_t token_dim, std::int64_t heads);
  // planes: [N, C, h, w]; tokens: [N, M, D]; mask: [N, M] bool; distance: [N, M, h, w] >= 0, of the image's size.
  torch::Tensor forward(const torch::Tensor& planes, const torch::Tensor& tokens, const torch::Tensor& mask,
                        const torch::Tensor& distance);

 private:
  std::int64_t heads_;
  std::int64_t inner_;
  nn::GroupNorm norm_{nullptr};
  torch::nn::Linear to_q_{nullptr}, to_k_{nullptr}, to_v_{nullptr}, to_out_{nullptr};
  torch::Tensor log_alpha_;
};
TORCH_MODULE(LayoutFusion);

}  // namespace terragen::models
