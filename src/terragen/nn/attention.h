// Attention and transformer blocks, with diffusers' parameter names; fused kernels throughout.
#pragma once

#include <torch/torch.h>

#include <optional>

#include "terragen/nn/group_norm.h"
#include "terragen/nn/low_rank_linear.h"

namespace terragen::nn {

// softmax(q k^T / sqrt(d) + mask) v with the library's fused kernel. q, k, v: [N, heads, L, d]; mask: additive,
// broadcast to [N, heads, L, M]. The kernel's bfloat16 products go through a reference routine on the processor unless
// the library was built with MKL; there bfloat16 attention is written out instead, whole where keys are few and by rows
// of queries where they are many. With many keys and a mask or a gradient the kernel runs in float32.
torch::Tensor fused_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const std::optional<torch::Tensor>& mask = std::nullopt);

// What a cross-attention may look at besides its own input. Undefined tensors are absent.
struct AttentionContext {
  torch::Tensor text;         // [N, T, cross_attention_dim]
  torch::Tensor layout;       // [N, M, layout_dim]
  torch::Tensor layout_mask;  // [N, M] bool, true = present
  torch::Tensor objects;      // [N, O, cross_attention_dim], for GatedSelfAttention
};

struct AttentionOptions {
  std::int64_t query_dim = 0;
  std::int64_t heads = 1;
  std::int64_t cross_dim = 0;   // of the text; 0: keys and values come from the input itself (self-attention)
  std::int64_t layout_dim = 0;  // > 0: decoupled cross-attention with keys and values of its own for layout tokens
  bool has_text = true;         // false (cross-attention only): no text keys and values at all
  bool bias = false;            // of to_q, to_k, to_v
};

// to_q, to_k, to_v, to_out.0; ours: to_k_layout, to_v_layout (starts at zero, so that layout tokens say nothing at
// first).
class AttentionImpl : public torch::nn::Module {
 public:
  explicit AttentionImpl(const AttentionOptions& options);
  // x: [N, L, query_dim]; result likewise: to_out(attention(x, text or x) + attention(x, layout)).
  torch::Tensor forward(const torch::Tensor& x, const AttentionContext& context);

 private:
  torch::Tensor split(const torch::Tensor& x) const;
  AttentionOptions options_;
  LowRankLinear to_q_{nullptr}, to_k_{nullptr}, to_v_{nullptr};
  torch::nn::Linear to_k_layout_{nullptr}, to_v_layout_{nullptr};
  torch::nn::ModuleList to_out_{nullptr};
};
TORCH_MODULE(Attention);

// net.0.proj (GEGLU), net.2.
class FeedForwardImpl : public torch::nn::Module {
 public:
  explicit FeedForwardImpl(std::int64_t dim);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear proj_{nullptr}, out_{nullptr};
};
TORCH_MODULE(FeedForward);

// Self-attention over the input and a few objects beside it, let in through gates (GLIGEN, Li et al. 2023,
// arXiv 2301.07093, equation 8): linear, norm1, attn, alpha_attn, norm2, ff, alpha_dense.
class GatedSelfAttentionImpl : public torch::nn::Module {
 public:
  GatedSelfAttentionImpl(std::int64_t dim, std::int64_t object_dim, std::int64_t heads);
  // x: [N, L, dim]; objects: [N, O, object_dim]; result like x.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& objects);

 private:
  torch::nn::Linear linear_{nullptr};
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  Attention attn_{nullptr};
  FeedForward ff_{nullptr};
  torch::Tensor alpha_attn_, alpha_dense_;
};
TORCH_MODULE(GatedSelfAttention);

struct TransformerOptions {
  std::int64_t channels = 0;
  std::int64_t heads = 1;
  std::int64_t layers = 1;
  std::int64_t cross_dim = 0;   // text; 0: no text
  std::int64_t layout_dim = 0;  // layout tokens; 0: none
  std::int64_t groups = 32;
  bool linear_projection = false;
  bool gated = false;  // with a GatedSelfAttention after each self-attention
};

// norm1, attn1 (self), fuser (where gated), norm2, attn2 (cross), norm3, ff. Without text and layout there is no attn2
// and no norm2; without objects the fuser is passed by.
class BasicTransformerBlockImpl : public torch::nn::Module {
 public:
  explicit BasicTransformerBlockImpl(const TransformerOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const AttentionContext& context);

 private:
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr}, norm3_{nullptr};
  Attention attn1_{nullptr}, attn2_{nullptr};
  FeedForward ff_{nullptr};
  GatedSelfAttention fuser_{nullptr};
};
TORCH_MODULE(BasicTransformerBlock);

// norm, proj_in, transformer_blocks.*, proj_out, around an identity. x: [N, C, H, W].
class Transformer2DImpl : public torch::nn::Module {
 public:
  explicit Transformer2DImpl(const TransformerOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const AttentionContext& context);

 private:
  bool linear_projection_;
  GroupNorm norm_{nullptr};
  torch::nn::AnyModule proj_in_, proj_out_;
  torch::nn::ModuleList transformer_blocks_{nullptr};
};
TORCH_MODULE(Transformer2D);

// Single-head self-attention of the autoencoder's middle: group_norm, to_q, to_k, to_v, to_out.0, residual.
class SpatialAttentionImpl : public torch::nn::Module {
 public:
  SpatialAttentionImpl(std::int64_t channels, std::int64_t groups, double eps);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  GroupNorm group_norm_{nullptr};
  torch::nn::Linear to_q_{nullptr}, to_k_{nullptr}, to_v_{nullptr};
  torch::nn::ModuleList to_out_{nullptr};
};
TORCH_MODULE(SpatialAttention);

}  // namespace terragen::nn
