// The one U-Net: diffusers' UNet2DConditionModel with our layout injection.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "terragen/models/box_position_net.h"
#include "terragen/models/unet_blocks.h"
#include "terragen/models/unet_config.h"
#include "terragen/nn/embeddings.h"
#include "terragen/nn/group_norm.h"

namespace terragen::models {

// Undefined tensors and an empty list: condition absent.
struct UNetCondition {
  torch::Tensor text;                          // [N, T, cross_attention_dim]
  torch::Tensor time_addition;                 // [N, time_dim], added to the time embedding
  std::vector<torch::Tensor> layout_features;  // F_k: [N, layout_channels[k], h / 2^k, w / 2^k]
  torch::Tensor layout_tokens;                 // [N, M, layout_token_dim]
  torch::Tensor layout_token_mask;             // [N, M] bool, true = present
  std::vector<torch::Tensor> down_residuals;   // a ControlNet's, added to the skips, finest first
  torch::Tensor mid_residual;                  // a ControlNet's, added to what the middle says
  BoxCondition boxes;                          // for a network with attention_type "gated" (GLIGEN)
};

// Called with a part's name and output; for tests.
using Trace = std::function<void(const std::string&, const torch::Tensor&)>;

// At initialisation the network with a layout equals the one without.
class UNet2DConditionModelImpl : public torch::nn::Module {
 public:
  explicit UNet2DConditionModelImpl(UNetConfig config);
  // sample: [N, in_channels, h, w], any h and w; timestep: scalar or [N]; result: [N, out_channels, h, w].
  torch::Tensor forward(const torch::Tensor& sample, const torch::Tensor& timestep, const UNetCondition& condition,
                        const Trace& trace = {});
  const UNetConfig& config() const { return config_; }

 private:
  UNetConfig config_;
  torch::nn::Conv2d conv_in_{nullptr}, conv_out_{nullptr};
  nn::TimestepEmbedding time_embedding_{nullptr};
  torch::nn::ModuleList down_blocks_{nullptr}, up_blocks_{nullptr};
  MidBlock mid_block_{nullptr};
  BoxPositionNet position_net_{nullptr};
  nn::GroupNorm conv_norm_out_{nullptr};
};
TORCH_MODULE(UNet2DConditionModel);

}  // namespace terragen::models
