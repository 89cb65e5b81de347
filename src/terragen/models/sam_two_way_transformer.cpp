#include "terragen/models/sam_two_way_transformer.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

constexpr std::int64_t kDownsampling = 2;  // of the attention between tokens and image

tn::LayerNorm two_way_norm(std::int64_t channels) { return tn::LayerNorm(tn::LayerNormOptions({channels})); }

// self_attn, norm1, cross_attn_token_to_image, norm2, mlp, norm3, cross_attn_image_to_token, norm4.
class TwoWayBlockImpl : public tn::Module {
 public:
  TwoWayBlockImpl(const TwoWayTransformerConfig& config, bool first) : family_(config.family), first_(first) {
    const std::int64_t channels = config.channels;
    self_attention_ = register_module("self_attn", TokenAttention(channels, config.heads, 1));
    norm1_ = register_module("norm1", two_way_norm(channels));
    token_to_image_ =
        register_module("cross_attn_token_to_image", TokenAttention(channels, config.heads, kDownsampling));
    norm2_ = register_module("norm2", two_way_norm(channels));
    const bool efficient = family_ == SamFamily::efficient_sam;
    mlp_ =
        register_module("mlp", efficient ? decoder_perceptron(family_, channels, config.mlp_width, channels, 2)
                                         : Perceptron(std::vector<std::int64_t>{channels, config.mlp_width, channels},
                                                      std::vector<std::string>{"lin1", "lin2"}, Activation::relu));
    norm3_ = register_module("norm3", two_way_norm(channels));
    image_to_token_ =
        register_module("cross_attn_image_to_token", TokenAttention(channels, config.heads, kDownsampling));
    norm4_ = register_module("norm4", two_way_norm(channels));
  }

  // identity: the tokens as they came, by which they are told apart throughout.
  void forward(torch::Tensor& tokens, torch::Tensor& cells, const torch::Tensor& identity,
               const torch::Tensor& places) {
    tokens = norm1_(among_themselves(tokens, identity));
    tokens = norm2_(tokens + token_to_image_(tokens + identity, cells + places, cells));
    tokens = norm3_(tokens + mlp_(tokens));
    cells = norm4_(cells + image_to_token_(cells + places, tokens + identity, tokens));
  }

 private:
  // The two networks differ here. In the first block tokens are their own identity; Segment Anything then keeps nothing
  // of them beside what attention gives, EfficientSAM does. In later ones EfficientSAM keeps the identity that it adds.
  torch::Tensor among_themselves(const torch::Tensor& tokens, const torch::Tensor& identity) {
    if (family_ == SamFamily::efficient_sam) {
      const torch::Tensor marked = first_ ? tokens : tokens + identity;
      return marked + self_attention_(marked, marked, marked);
    }
    if (first_) return self_attention_(tokens, tokens, tokens);
    const torch::Tensor marked = tokens + identity;
    return tokens + self_attention_(marked, marked, tokens);
  }

  SamFamily family_;
  bool first_;
  TokenAttention self_attention_{nullptr}, token_to_image_{nullptr}, image_to_token_{nullptr};
  tn::LayerNorm norm1_{nullptr}, norm2_{nullptr}, norm3_{nullptr}, norm4_{nullptr};
  Perceptron mlp_{nullptr};
};
TORCH_MODULE(TwoWayBlock);

}  // namespace

void TwoWayTransformerConfig::validate() const {
  if (channels <= 0 || depth <= 0 || heads <= 0 || mlp_width <= 0 || channels % (kDownsampling * heads) != 0) {
    throw RequestError("mask decoder: channels must be a multiple of twice the heads, and all sizes positive");
  }
}

TokenAttentionImpl::TokenAttentionImpl(std::int64_t channels, std::int64_t heads, std::int64_t downsampling)
    : heads_(heads) {
  const std::int64_t inner = channels / downsampling;
  q_proj_ = register_module("q_proj", tn::Linear(channels, inner));
  k_proj_ = register_module("k_proj", tn::Linear(channels, inner));
  v_proj_ = register_module("v_proj", tn::Linear(channels, inner));
  out_proj_ = register_module("out_proj", tn::Linear(inner, channels));
}

torch::Tensor TokenAttentionImpl::forward(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  const std::int64_t n = std::max(q.size(0), k.size(0));
  const auto split = [&](const torch::Tensor& x) {
    const torch::Tensor heads = x.reshape({x.size(0), x.size(1), heads_, -1}).transpose(1, 2);
    return heads.expand({n, -1, -1, -1});
  };
  const torch::Tensor queries = split(q_proj_(q)), keys = split(k_proj_(k)), values = split(v_proj_(v));
  // Tokens are few, so that the scores are small, and the fused kernel's fast exponential would be heard in the masks.
  const torch::Tensor scores =
      torch::matmul(queries, keys.transpose(2, 3)) / std::sqrt(static_cast<double>(queries.size(3)));
  const torch::Tensor mixed = torch::matmul(scores.softmax(-1), values);
  return out_proj_(mixed.transpose(1, 2).flatten(2));
}

TwoWayTransformerImpl::TwoWayTransformerImpl(const TwoWayTransformerConfig& config) {
  layers_ = register_module("layers", tn::ModuleList());
  for (std::int64_t i = 0; i < config.depth; ++i) layers_->push_back(TwoWayBlock(config, i == 0));
  final_attention_ =
      register_module("final_attn_token_to_image", TokenAttention(config.channels, config.heads, kDownsampling));
  final_norm_ = register_module("norm_final_attn", two_way_norm(config.channels));
}

std::pair<torch::Tensor, torch::Tensor> TwoWayTransformerImpl::forward(const torch::Tensor& image,
                                                                       const torch::Tensor& places,
                                                                       const torch::Tensor& tokens) {
  torch::Tensor cells = image.flatten(2).transpose(1, 2);
  const torch::Tensor cell_places = places.flatten(2).transpose(1, 2);
  torch::Tensor spoken = tokens;
  for (const auto& layer : *layers_) layer->as<TwoWayBlock>()->forward(spoken, cells, tokens, cell_places);
  spoken = final_norm_(spoken + final_attention_(spoken + tokens, cells + cell_places, cells));
  return {spoken, cells};
}

}  // namespace terragen::models
