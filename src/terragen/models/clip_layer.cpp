#include "terragen/models/clip_layer.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/attention.h"

namespace terragen::models {

namespace tn = torch::nn;

void ClipLayerOptions::validate(const std::string& who) const {
  const auto refuse = [&](const std::string& what) { throw RequestError(who + ": " + what); };
  if (hidden_size <= 0 || intermediate_size <= 0 || heads <= 0) refuse("sizes must be positive");
  if (hidden_size > 8192 || intermediate_size > 32768) refuse("sizes are beyond what any such model has");
  if (hidden_size % heads != 0) {
    refuse(std::format("num_attention_heads {} does not divide hidden_size {}", heads, hidden_size));
  }
  if (hidden_act != "quick_gelu" && hidden_act != "gelu") {
    refuse(std::format("hidden_act {} is not offered", hidden_act));
  }
}

ClipLayerImpl::ClipLayerImpl(const ClipLayerOptions& options)
    : heads_(options.heads), quick_(options.hidden_act == "quick_gelu") {
  const std::int64_t d = options.hidden_size;
  const auto norm = [&] { return tn::LayerNorm(tn::LayerNormOptions({d}).eps(options.eps)); };
  layer_norm1_ = register_module("layer_norm1", norm());
  const auto attention = register_module("self_attn", std::make_shared<tn::Module>("self_attn"));
  q_proj_ = attention->register_module("q_proj", tn::Linear(d, d));
  k_proj_ = attention->register_module("k_proj", tn::Linear(d, d));
  v_proj_ = attention->register_module("v_proj", tn::Linear(d, d));
  out_proj_ = attention->register_module("out_proj", tn::Linear(d, d));
  layer_norm2_ = register_module("layer_norm2", norm());
  const auto mlp = register_module("mlp", std::make_shared<tn::Module>("mlp"));
  fc1_ = mlp->register_module("fc1", tn::Linear(d, options.intermediate_size));
  fc2_ = mlp->register_module("fc2", tn::Linear(options.intermediate_size, d));
}

torch::Tensor ClipLayerImpl::forward(const torch::Tensor& x, const std::optional<torch::Tensor>& mask) {
  const auto split = [&](const torch::Tensor& y) { return y.view({y.size(0), y.size(1), heads_, -1}).transpose(1, 2); };
  const torch::Tensor y = layer_norm1_(x);
  const torch::Tensor mixed = nn::fused_attention(split(q_proj_(y)), split(k_proj_(y)), split(v_proj_(y)), mask);
  const torch::Tensor h = x + out_proj_(mixed.transpose(1, 2).reshape(x.sizes()));
  const torch::Tensor inner = fc1_(layer_norm2_(h));
  return h + fc2_(quick_ ? inner * torch::sigmoid(1.702 * inner) : at::gelu(inner));
}

}  // namespace terragen::models
