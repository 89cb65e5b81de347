#include "terragen/models/unet.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

UNet2DConditionModelImpl::UNet2DConditionModelImpl(UNetConfig config) : config_(std::move(config)) {
  config_.validate();
  const std::int64_t first = config_.block_out_channels.front();
  conv_in_ = register_module("conv_in", nn::conv3x3(config_.in_channels, first));
  time_embedding_ = register_module("time_embedding", nn::TimestepEmbedding(first, config_.time_dim()));
  down_blocks_ = register_module("down_blocks", tn::ModuleList());
  up_blocks_ = register_module("up_blocks", tn::ModuleList());
  for (std::size_t i = 0; i < config_.block_out_channels.size(); ++i) {
    down_blocks_->push_back(DownBlock(config_, i));
    up_blocks_->push_back(UpBlock(config_, i));
  }
  mid_block_ = register_module("mid_block", MidBlock(config_));
  if (config_.attention_type == "gated") {
    position_net_ = register_module("position_net", BoxPositionNet(config_.cross_attention_dim));
  }
  conv_norm_out_ = register_module("conv_norm_out", nn::GroupNorm(config_.norm_num_groups, first, config_.norm_eps));
  conv_out_ = register_module("conv_out", nn::conv3x3(first, config_.out_channels));
}

torch::Tensor UNet2DConditionModelImpl::forward(const torch::Tensor& sample, const torch::Tensor& timestep,
                                                const UNetCondition& condition, const Trace& trace) {
  const std::size_t levels = config_.block_out_channels.size();
  if (!condition.layout_features.empty() && condition.layout_features.size() != levels) {
    throw InternalError("[UNet] the number of layout features is not the number of levels");
  }
  if (condition.boxes.embeddings.defined() && !position_net_) {
    throw InternalError("[UNet] this network has no gates for boxes");
  }
  const auto tell = [&](const std::string& name, const torch::Tensor& value) {
    if (trace) trace(name, value);
  };
  const torch::Tensor steps = timestep.dim() == 0 ? timestep.expand({sample.size(0)}) : timestep;
  const torch::Tensor waves =
      nn::timestep_embedding(steps, config_.block_out_channels.front(), config_.flip_sin_to_cos, config_.freq_shift);
  tell("time_proj", waves);
  LevelContext context;
  context.time = time_embedding_(waves);
  tell("time_embedding", context.time);
  if (condition.time_addition.defined()) context.time = context.time + condition.time_addition;
  context.tokens = {condition.text, condition.layout_tokens, condition.layout_token_mask, {}};
  if (condition.boxes.embeddings.defined()) context.tokens.objects = position_net_(condition.boxes);
  const auto features_at = [&](std::size_t level) {
    return condition.layout_features.empty() ? torch::Tensor() : condition.layout_features[level];
  };

  torch::Tensor h = conv_in_(sample.contiguous(at::MemoryFormat::ChannelsLast));
  tell("conv_in", h);
  std::vector<torch::Tensor> skips{h};
  for (std::size_t k = 0; k < levels; ++k) {
    context.layout_features = features_at(k);
    h = down_blocks_[k]->as<DownBlock>()->forward(h, context, skips);
    tell(std::format("down_blocks.{}", k), h);
  }
  context.layout_features = features_at(levels - 1);
  h = mid_block_(h, context);
  tell("mid_block", h);
  if (!condition.down_residuals.empty()) {
    if (condition.down_residuals.size() != skips.size()) {
      throw InternalError("[UNet] the number of residuals is not the number of skips");
    }
    for (std::size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + condition.down_residuals[i];
  }
  if (condition.mid_residual.defined()) h = h + condition.mid_residual;
  for (std::size_t i = 0; i < levels; ++i) {
    const auto block = up_blocks_[i]->as<UpBlock>();
    // The upsampler meets the size of the next block's skips, which halving may have rounded up.
    std::optional<std::vector<std::int64_t>> size;
    if (i + 1 < levels) {
      const torch::Tensor& next = skips[skips.size() - 1 - block->skips_needed()];
      size = {next.size(2), next.size(3)};
    }
    context.layout_features = features_at(levels - 1 - i);
    h = block->forward(h, context, skips, size);
    tell(std::format("up_blocks.{}", i), h);
  }
  h = conv_norm_out_(h);
  tell("conv_norm_out", h);
  h = conv_out_(torch::silu(h));
  tell("out", h);
  return h;
}

}  // namespace terragen::models
