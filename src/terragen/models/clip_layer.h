// One layer of CLIP's transformers, which read texts and images alike (Radford et al. 2021), with transformers' names.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <string>

namespace terragen::models {

struct ClipLayerOptions {
  std::int64_t hidden_size = 512;
  std::int64_t intermediate_size = 2048;
  std::int64_t heads = 8;
  std::string hidden_act = "quick_gelu";  // x sigmoid(1.702 x), or "gelu"
  double eps = 1e-5;

  // RequestError, begun with `who`, naming what cannot be; sizes beyond any such model's too, so that a damaged config
  // does not ask for more memory than a machine has.
  void validate(const std::string& who) const;
};

// layer_norm1, self_attn.{q,k,v,out}_proj, layer_norm2, mlp.fc1, mlp.fc2.
class ClipLayerImpl : public torch::nn::Module {
 public:
  explicit ClipLayerImpl(const ClipLayerOptions& options);
  // x: [N, T, hidden_size]; mask: additive, broadcast to [N, heads, T, T].
  torch::Tensor forward(const torch::Tensor& x, const std::optional<torch::Tensor>& mask = std::nullopt);

 private:
  std::int64_t heads_;
  bool quick_;
  torch::nn::LayerNorm layer_norm1_{nullptr}, layer_norm2_{nullptr};
  torch::nn::Linear q_proj_{nullptr}, k_proj_{nullptr}, v_proj_{nullptr}, out_proj_{nullptr}, fc1_{nullptr},
      fc2_{nullptr};
};
TORCH_MODULE(ClipLayer);

}  // namespace terragen::models
