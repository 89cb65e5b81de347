// Encoder and decoder of the autoencoder.
#pragma once

#include <torch/torch.h>

#include "terragen/models/autoencoder_config.h"
#include "terragen/models/unet.h"
#include "terragen/nn/attention.h"
#include "terragen/nn/group_norm.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {

// resnets.0, attentions.0 (where configured), resnets.1.
class AutoencoderMidBlockImpl : public torch::nn::Module {
 public:
  explicit AutoencoderMidBlockImpl(const AutoencoderConfig& config);
  torch::Tensor forward(torch::Tensor h);

 private:
  torch::nn::ModuleList resnets_{nullptr}, attentions_{nullptr};
};
TORCH_MODULE(AutoencoderMidBlock);

// One level: resnets.* and downsamplers.0 or upsamplers.0.
class AutoencoderLevelImpl : public torch::nn::Module {
 public:
  enum class Resize { none, down, up };
  AutoencoderLevelImpl(const AutoencoderConfig& config, std::int64_t in, std::int64_t out, std::int64_t layers,
                       Resize resize);
  torch::Tensor forward(torch::Tensor h);

 private:
  torch::nn::ModuleList resnets_{nullptr}, samplers_{nullptr};
  Resize resize_;
};
TORCH_MODULE(AutoencoderLevel);

// conv_in, down_blocks.*, mid_block, conv_norm_out, conv_out. Image to [N, 2 C, h, w].
class EncoderImpl : public torch::nn::Module {
 public:
  explicit EncoderImpl(const AutoencoderConfig& config);
  torch::Tensor forward(const torch::Tensor& image, const Trace& trace);

 private:
  std::int64_t patch_size_;
  torch::nn::Conv2d conv_in_{nullptr}, conv_out_{nullptr};
  torch::nn::ModuleList down_blocks_{nullptr};
  AutoencoderMidBlock mid_block_{nullptr};
  nn::GroupNorm conv_norm_out_{nullptr};
};
TORCH_MODULE(Encoder);

// conv_in, mid_block, up_blocks.*, conv_norm_out, conv_out. [N, C, h, w] to image.
class DecoderImpl : public torch::nn::Module {
 public:
  explicit DecoderImpl(const AutoencoderConfig& config);
  torch::Tensor forward(const torch::Tensor& z, const Trace& trace);

 private:
  std::int64_t patch_size_;
  torch::nn::Conv2d conv_in_{nullptr}, conv_out_{nullptr};
  torch::nn::ModuleList up_blocks_{nullptr};
  AutoencoderMidBlock mid_block_{nullptr};
  nn::GroupNorm conv_norm_out_{nullptr};
};
TORCH_MODULE(Decoder);

}  // namespace terragen::models
