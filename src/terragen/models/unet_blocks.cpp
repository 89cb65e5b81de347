#include "terragen/models/unet_blocks.h"

namespace terragen::models {
namespace {

namespace tn = torch::nn;

nn::Transformer2D transformer(const UNetConfig& config, std::size_t level) {
  return nn::Transformer2D(nn::TransformerOptions{.channels = config.block_out_channels[level],
                                                  .heads = config.heads_at(level),
                                                  .layers = config.transformer_layers_per_block,
                                                  .cross_dim = config.cross_attention_dim,
                                                  .layout_dim = config.layout_token_dim,
                                                  .groups = config.norm_num_groups,
                                                  .linear_projection = config.use_linear_projection,
                                                  .gated = config.attention_type == "gated"});
}

nn::ResnetBlock2D resnet(const UNetConfig& config, std::int64_t in, std::int64_t out) {
  return nn::ResnetBlock2D(in, out, config.time_dim(), config.norm_num_groups, config.norm_eps);
}

bool is_injected(const UNetConfig& config, std::size_t level) {
  return !config.layout_channels.empty() && (level == 0 || !config.layout_single_scale);
}

nn::FeatureModulation modulation(const UNetConfig& config, std::size_t level) {
  return nn::FeatureModulation(config.block_out_channels[level], config.layout_channels[level], config.norm_num_groups);
}

torch::Tensor inject(nn::FeatureModulation& modulation, const torch::Tensor& h, const LevelContext& context) {
  return modulation && context.layout_features.defined() ? modulation(h, context.layout_features) : h;
}

}  // namespace

DownBlockImpl::DownBlockImpl(const UNetConfig& config, std::size_t level) {
  const bool attends = config.down_block_types[level] == "CrossAttnDownBlock2D";
  const std::int64_t out = config.block_out_channels[level];
  std::int64_t in = config.block_out_channels[level == 0 ? 0 : level - 1];
  resnets_ = register_module("resnets", tn::ModuleList());
  if (attends) attentions_ = register_module("attentions", tn::ModuleList());
  for (std::int64_t i = 0; i < config.layers_per_block; ++i) {
    resnets_->push_back(resnet(config, in, out));
    if (attends) attentions_->push_back(transformer(config, level));
    in = out;
  }
  if (level + 1 < config.block_out_channels.size()) {
    downsamplers_ = register_module("downsamplers", tn::ModuleList(nn::Downsample2D(out, false)));
  }
  if (is_injected(config, level)) layout_modulation_ = register_module("layout_modulation", modulation(config, level));
}

torch::Tensor DownBlockImpl::forward(torch::Tensor h, const LevelContext& context, std::vector<torch::Tensor>& skips) {
  for (std::size_t i = 0; i < resnets_->size(); ++i) {
    h = resnets_[i]->as<nn::ResnetBlock2D>()->forward(h, context.time);
    if (i == 0) h = inject(layout_modulation_, h, context);
    if (attentions_) h = attentions_[i]->as<nn::Transformer2D>()->forward(h, context.tokens);
    skips.push_back(h);
  }
  if (downsamplers_) {
    h = downsamplers_[0]->as<nn::Downsample2D>()->forward(h);
    skips.push_back(h);
  }
  return h;
}

MidBlockImpl::MidBlockImpl(const UNetConfig& config) {
  const std::size_t last = config.block_out_channels.size() - 1;
  const std::int64_t c = config.block_out_channels[last];
  resnets_ = register_module("resnets", tn::ModuleList(resnet(config, c, c), resnet(config, c, c)));
  attentions_ = register_module("attentions", tn::ModuleList(transformer(config, last)));
  if (is_injected(config, last)) layout_modulation_ = register_module("layout_modulation", modulation(config, last));
}

torch::Tensor MidBlockImpl::forward(torch::Tensor h, const LevelContext& context) {
  h = resnets_[0]->as<nn::ResnetBlock2D>()->forward(h, context.time);
  h = inject(layout_modulation_, h, context);
  h = attentions_[0]->as<nn::Transformer2D>()->forward(h, context.tokens);
  return resnets_[1]->as<nn::ResnetBlock2D>()->forward(h, context.time);
}

UpBlockImpl::UpBlockImpl(const UNetConfig& config, std::size_t index) {
  const std::size_t levels = config.block_out_channels.size();
  const std::size_t level = levels - 1 - index;
  const bool attends = config.up_block_types[index] == "CrossAttnUpBlock2D";
  const std::int64_t out = config.block_out_channels[level];
  const std::int64_t below = config.block_out_channels[level + 1 < levels ? level + 1 : level];
  const std::int64_t above = config.block_out_channels[level == 0 ? 0 : level - 1];
  resnets_ = register_module("resnets", tn::ModuleList());
  if (attends) attentions_ = register_module("attentions", tn::ModuleList());
  for (std::int64_t i = 0; i <= config.layers_per_block; ++i) {
    const std::int64_t skip = i == config.layers_per_block ? above : out;
    resnets_->push_back(resnet(config, (i == 0 ? below : out) + skip, out));
    if (attends) attentions_->push_back(transformer(config, level));
  }
  if (level > 0) upsamplers_ = register_module("upsamplers", tn::ModuleList(nn::Upsample2D(out)));
  if (is_injected(config, level)) layout_modulation_ = register_module("layout_modulation", modulation(config, level));
}

torch::Tensor UpBlockImpl::forward(torch::Tensor h, const LevelContext& context, std::vector<torch::Tensor>& skips,
                                   const std::optional<std::vector<std::int64_t>>& size) {
  for (std::size_t i = 0; i < resnets_->size(); ++i) {
    h = resnets_[i]->as<nn::ResnetBlock2D>()->forward(torch::cat({h, skips.back()}, 1), context.time);
    skips.pop_back();
    if (i == 0) h = inject(layout_modulation_, h, context);
    if (attentions_) h = attentions_[i]->as<nn::Transformer2D>()->forward(h, context.tokens);
  }
  return upsamplers_ ? upsamplers_[0]->as<nn::Upsample2D>()->forward(h, size) : h;
}

}  // namespace terragen::models
