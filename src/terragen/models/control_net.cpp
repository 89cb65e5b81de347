#include "terragen/models/control_net.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

// Starts at zero: an untrained ControlNet says nothing.
tn::Conv2d silent_convolution(std::int64_t channels) {
  tn::Conv2d convolution(tn::Conv2dOptions(channels, channels, 1));
  const torch::NoGradGuard no_grad;
  convolution->weight.zero_();
  convolution->bias.zero_();
  return convolution;
}

}  // namespace

ControlNetConfig control_net_config_from_json(const Json& value, const std::string& place) {
  Json unet = value;
  // What a U-Net's config says beyond a ControlNet's.
  unet["out_channels"] = json_member<std::int64_t>(value, "in_channels", place);
  unet["up_block_types"] = Json::array();
  for (const std::string& type : json_member<std::vector<std::string>>(value, "down_block_types", place)) {
    unet["up_block_types"].insert(unet["up_block_types"].begin(),
                                  type == "CrossAttnDownBlock2D" ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  ControlNetConfig config{.unet = unet_config_from_json(unet, place)};
  config.conditioning_channels = json_member_or<std::int64_t>(value, "conditioning_channels", 3, place);
  config.conditioning_embedding_out_channels = json_member_or<std::vector<std::int64_t>>(
      value, "conditioning_embedding_out_channels", config.conditioning_embedding_out_channels, place);
  if (config.conditioning_channels <= 0 || config.conditioning_embedding_out_channels.empty() ||
      std::ranges::any_of(config.conditioning_embedding_out_channels, [](std::int64_t c) { return c <= 0; })) {
    throw DataError(place, "has channels that are not positive");
  }
  if (json_member_or<std::string>(value, "controlnet_conditioning_channel_order", "rgb", place) != "rgb" ||
      json_member_or<bool>(value, "global_pool_conditions", false, place)) {
    throw DataError(place, "wants another order of channels or pooled conditions, which are not offered");
  }
  return config;
}

ControlEmbeddingImpl::ControlEmbeddingImpl(const ControlNetConfig& config, std::int64_t channels) {
  const std::vector<std::int64_t>& widths = config.conditioning_embedding_out_channels;
  conv_in_ = register_module("conv_in", nn::conv3x3(config.conditioning_channels, widths.front()));
  blocks_ = register_module("blocks", tn::ModuleList());
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    blocks_->push_back(nn::conv3x3(widths[i], widths[i]));
    blocks_->push_back(nn::conv3x3(widths[i], widths[i + 1], 2));
  }
  conv_out_ = register_module("conv_out", nn::conv3x3(widths.back(), channels));
}

torch::Tensor ControlEmbeddingImpl::forward(const torch::Tensor& picture) {
  torch::Tensor h = torch::silu(conv_in_(picture));
  for (const auto& block : *blocks_) h = torch::silu(block->as<tn::Conv2d>()->forward(h));
  return conv_out_(h);
}

ControlNetImpl::ControlNetImpl(ControlNetConfig config) : config_(std::move(config)) {
  const UNetConfig& unet = config_.unet;
  unet.validate();
  const std::int64_t first = unet.block_out_channels.front();
  conv_in_ = register_module("conv_in", nn::conv3x3(unet.in_channels, first));
  time_embedding_ = register_module("time_embedding", nn::TimestepEmbedding(first, unet.time_dim()));
  controlnet_cond_embedding_ = register_module("controlnet_cond_embedding", ControlEmbedding(config_, first));
  down_blocks_ = register_module("down_blocks", tn::ModuleList());
  controlnet_down_blocks_ = register_module("controlnet_down_blocks", tn::ModuleList(silent_convolution(first)));
  for (std::size_t level = 0; level < unet.block_out_channels.size(); ++level) {
    down_blocks_->push_back(DownBlock(unet, level));
    const bool halves = level + 1 < unet.block_out_channels.size();
    for (std::int64_t i = 0; i < unet.layers_per_block + (halves ? 1 : 0); ++i) {
      controlnet_down_blocks_->push_back(silent_convolution(unet.block_out_channels[level]));
    }
  }
  mid_block_ = register_module("mid_block", MidBlock(unet));
  controlnet_mid_block_ = register_module("controlnet_mid_block", silent_convolution(unet.block_out_channels.back()));
}

ControlResiduals ControlNetImpl::forward(const torch::Tensor& sample, const torch::Tensor& timestep,
                                         const torch::Tensor& text, const torch::Tensor& picture, double scale,
                                         bool guess) {
  const UNetConfig& unet = config_.unet;
  const torch::Tensor steps = timestep.dim() == 0 ? timestep.expand({sample.size(0)}) : timestep;
  LevelContext context;
  context.time = time_embedding_(
      nn::timestep_embedding(steps, unet.block_out_channels.front(), unet.flip_sin_to_cos, unet.freq_shift));
  context.tokens.text = text;
  torch::Tensor h = conv_in_(sample) + controlnet_cond_embedding_(picture);
  ControlResiduals said{.down = {h}, .mid = {}};
  for (const auto& block : *down_blocks_) h = block->as<DownBlock>()->forward(h, context, said.down);
  said.mid = controlnet_mid_block_(mid_block_(h, context));
  const auto count = static_cast<double>(said.down.size());
  for (std::size_t i = 0; i < said.down.size(); ++i) {
    const double share = guess ? std::pow(10.0, static_cast<double>(i) / count - 1.0) : 1.0;
    said.down[i] = controlnet_down_blocks_[i]->as<tn::Conv2d>()->forward(said.down[i]) * (scale * share);
  }
  said.mid = said.mid * scale;
  return said;
}

}  // namespace terragen::models
