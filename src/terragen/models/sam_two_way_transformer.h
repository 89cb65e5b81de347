// The transformer of Segment Anything's mask decoder: few tokens (prompts and outputs) and an image's features attend
// to each other in both directions (Kirillov et al. 2023, arXiv 2304.02643, appendix A).
#pragma once

#include <torch/torch.h>

#include <utility>

#include "terragen/models/sam_layers.h"

namespace terragen::models {

struct TwoWayTransformerConfig {
  SamFamily family = SamFamily::segment_anything;
  std::int64_t channels = 256;
  std::int64_t depth = 2;
  std::int64_t heads = 8;
  std::int64_t mlp_width = 2048;

  // RequestError naming what cannot be.
  void validate() const;
};

// q_proj, k_proj, v_proj, out_proj.
class TokenAttentionImpl : public torch::nn::Module {
 public:
  // downsampling: by so much heads are narrower altogether than the tokens.
  TokenAttentionImpl(std::int64_t channels, std::int64_t heads, std::int64_t downsampling);
  // q: [N, L, C]; k, v: [N, M, C]; one of them may be the same for all of the others, N = 1.
  torch::Tensor forward(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v);

 private:
  std::int64_t heads_;
  torch::nn::Linear q_proj_{nullptr}, k_proj_{nullptr}, v_proj_{nullptr}, out_proj_{nullptr};
};
TORCH_MODULE(TokenAttention);

// layers, final_attn_token_to_image, norm_final_attn.
class TwoWayTransformerImpl : public torch::nn::Module {
 public:
  // The configuration is valid.
  explicit TwoWayTransformerImpl(const TwoWayTransformerConfig& config);
  // image: [N or 1, C, h, w]; places: [1, C, h, w], what tells the image's cells apart; tokens: [N, L, C].
  // Tokens and cells as they are afterwards: [N, L, C], [N, h w, C].
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& image, const torch::Tensor& places,
                                                  const torch::Tensor& tokens);

 private:
  torch::nn::ModuleList layers_{nullptr};
  TokenAttention final_attention_{nullptr};
  torch::nn::LayerNorm final_norm_{nullptr};
};
TORCH_MODULE(TwoWayTransformer);

}  // namespace terragen::models
