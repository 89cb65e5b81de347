// ControlNet (Zhang et al. 2023, arXiv 2302.05543): a second down path of the U-Net that sees a picture and adds what
// it says to the U-Net's skips. diffusers' ControlNetModel and its parameter names.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "terragen/models/unet_blocks.h"
#include "terragen/models/unet_config.h"
#include "terragen/nn/embeddings.h"

namespace terragen::models {

struct ControlNetConfig {
  UNetConfig unet;  // of the U-Net it controls, whose down path it repeats
  std::int64_t conditioning_channels = 3;
  std::vector<std::int64_t> conditioning_embedding_out_channels = {16, 32, 96, 256};

  // Pixels of the picture a latent cell is wide.
  std::int64_t downscale() const { return std::int64_t{1} << (conditioning_embedding_out_channels.size() - 1); }
};
// DataError naming `place` and the key.
ControlNetConfig control_net_config_from_json(const Json& value, const std::string& place);

// conv_in, blocks.*, conv_out. Picture to [N, channels, H / downscale, W / downscale].
class ControlEmbeddingImpl : public torch::nn::Module {
 public:
  ControlEmbeddingImpl(const ControlNetConfig& config, std::int64_t channels);
  torch::Tensor forward(const torch::Tensor& picture);

 private:
  torch::nn::Conv2d conv_in_{nullptr}, conv_out_{nullptr};
  torch::nn::ModuleList blocks_{nullptr};
};
TORCH_MODULE(ControlEmbedding);

// As UNetCondition takes them.
struct ControlResiduals {
  std::vector<torch::Tensor> down;
  torch::Tensor mid;
};

class ControlNetImpl : public torch::nn::Module {
 public:
  explicit ControlNetImpl(ControlNetConfig config);
  const ControlNetConfig& config() const { return config_; }
  // sample: [N, in_channels, h, w]; timestep: scalar or [N]; text: [N, T, cross_attention_dim];
  // picture: [N, conditioning_channels, h * downscale, w * downscale] in [0, 1]. `scale` multiplies what it says;
  // `guess`: the fine levels speak less, from 1/10 to 1 in even steps of the logarithm, for use without a prompt.
  ControlResiduals forward(const torch::Tensor& sample, const torch::Tensor& timestep, const torch::Tensor& text,
                           const torch::Tensor& picture, double scale = 1.0, bool guess = false);
  // The picture as the network adds it to its first features: [N, block_out_channels[0], h, w].
  torch::Tensor embedded(const torch::Tensor& picture) { return controlnet_cond_embedding_(picture); }

 private:
  ControlNetConfig config_;
  torch::nn::Conv2d conv_in_{nullptr}, controlnet_mid_block_{nullptr};
  nn::TimestepEmbedding time_embedding_{nullptr};
  ControlEmbedding controlnet_cond_embedding_{nullptr};
  torch::nn::ModuleList down_blocks_{nullptr}, controlnet_down_blocks_{nullptr};
  MidBlock mid_block_{nullptr};
};
TORCH_MODULE(ControlNet);

}  // namespace terragen::models
