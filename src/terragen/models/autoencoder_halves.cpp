#include "terragen/models/autoencoder_halves.h"

#include <format>

namespace terragen::models {
namespace {

namespace tn = torch::nn;

constexpr double kEps = 1e-6;

void tell(const Trace& trace, const std::string& name, const torch::Tensor& value) {
  if (trace) trace(name, value);
}

nn::GroupNorm group_norm(const AutoencoderConfig& config, std::int64_t channels) {
  return nn::GroupNorm(config.norm_num_groups, channels, kEps);
}

}  // namespace

AutoencoderMidBlockImpl::AutoencoderMidBlockImpl(const AutoencoderConfig& config) {
  const std::int64_t c = config.block_out_channels.back();
  const auto resnet = [&] { return nn::ResnetBlock2D(c, c, 0, config.norm_num_groups, kEps); };
  resnets_ = register_module("resnets", tn::ModuleList(resnet(), resnet()));
  if (config.mid_block_add_attention) {
    attentions_ = register_module("attentions", tn::ModuleList(nn::SpatialAttention(c, config.norm_num_groups, kEps)));
  }
}

torch::Tensor AutoencoderMidBlockImpl::forward(torch::Tensor h) {
  h = resnets_[0]->as<nn::ResnetBlock2D>()->forward(h, {});
  if (attentions_) h = attentions_[0]->as<nn::SpatialAttention>()->forward(h);
  return resnets_[1]->as<nn::ResnetBlock2D>()->forward(h, {});
}

AutoencoderLevelImpl::AutoencoderLevelImpl(const AutoencoderConfig& config, std::int64_t in, std::int64_t out,
                                           std::int64_t layers, Resize resize)
    : resize_(resize) {
  resnets_ = register_module("resnets", tn::ModuleList());
  for (std::int64_t i = 0; i < layers; ++i) {
    resnets_->push_back(nn::ResnetBlock2D(i == 0 ? in : out, out, 0, config.norm_num_groups, kEps));
  }
  if (resize == Resize::down) {
    samplers_ = register_module("downsamplers", tn::ModuleList(nn::Downsample2D(out, true)));
  } else if (resize == Resize::up) {
    samplers_ = register_module("upsamplers", tn::ModuleList(nn::Upsample2D(out)));
  }
}

torch::Tensor AutoencoderLevelImpl::forward(torch::Tensor h) {
  for (const auto& resnet : *resnets_) h = resnet->as<nn::ResnetBlock2D>()->forward(h, {});
  if (resize_ == Resize::down) h = samplers_[0]->as<nn::Downsample2D>()->forward(h);
  if (resize_ == Resize::up) h = samplers_[0]->as<nn::Upsample2D>()->forward(h);
  return h;
}

EncoderImpl::EncoderImpl(const AutoencoderConfig& config) : patch_size_(config.patch_size) {
  const std::vector<std::int64_t>& channels = config.block_out_channels;
  conv_in_ = register_module("conv_in", nn::conv3x3(config.in_channels * patch_size_ * patch_size_, channels.front()));
  down_blocks_ = register_module("down_blocks", tn::ModuleList());
  for (std::size_t k = 0; k < channels.size(); ++k) {
    const bool last = k + 1 == channels.size();
    down_blocks_->push_back(
        AutoencoderLevel(config, channels[k == 0 ? 0 : k - 1], channels[k], config.layers_per_block,
                         last ? AutoencoderLevelImpl::Resize::none : AutoencoderLevelImpl::Resize::down));
  }
  mid_block_ = register_module("mid_block", AutoencoderMidBlock(config));
  conv_norm_out_ = register_module("conv_norm_out", group_norm(config, channels.back()));
  conv_out_ = register_module("conv_out", nn::conv3x3(channels.back(), 2 * config.latent_channels));
}

torch::Tensor EncoderImpl::forward(const torch::Tensor& image, const Trace& trace) {
  const torch::Tensor folded = patch_size_ > 1 ? torch::pixel_unshuffle(image, patch_size_) : image;
  torch::Tensor h = conv_in_(folded.contiguous(at::MemoryFormat::ChannelsLast));
  tell(trace, "encoder.conv_in", h);
  for (std::size_t k = 0; k < down_blocks_->size(); ++k) {
    h = down_blocks_[k]->as<AutoencoderLevel>()->forward(h);
    tell(trace, std::format("encoder.down_blocks.{}", k), h);
  }
  h = mid_block_(h);
  tell(trace, "encoder.mid_block", h);
  h = conv_out_(conv_norm_out_->silu(h));
  tell(trace, "encoder.conv_out", h);
  return h;
}

DecoderImpl::DecoderImpl(const AutoencoderConfig& config) : patch_size_(config.patch_size) {
  const std::vector<std::int64_t>& channels = config.block_out_channels;
  conv_in_ = register_module("conv_in", nn::conv3x3(config.latent_channels, channels.back()));
  mid_block_ = register_module("mid_block", AutoencoderMidBlock(config));
  up_blocks_ = register_module("up_blocks", tn::ModuleList());
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::size_t level = channels.size() - 1 - i;
    const std::int64_t in = channels[i == 0 ? level : level + 1];
    up_blocks_->push_back(
        AutoencoderLevel(config, in, channels[level], config.layers_per_block + 1,
                         level == 0 ? AutoencoderLevelImpl::Resize::none : AutoencoderLevelImpl::Resize::up));
  }
  conv_norm_out_ = register_module("conv_norm_out", group_norm(config, channels.front()));
  conv_out_ =
      register_module("conv_out", nn::conv3x3(channels.front(), config.out_channels * patch_size_ * patch_size_));
}

torch::Tensor DecoderImpl::forward(const torch::Tensor& z, const Trace& trace) {
  torch::Tensor h = conv_in_(z.contiguous(at::MemoryFormat::ChannelsLast));
  tell(trace, "decoder.conv_in", h);
  h = mid_block_(h);
  tell(trace, "decoder.mid_block", h);
  for (std::size_t i = 0; i < up_blocks_->size(); ++i) {
    h = up_blocks_[i]->as<AutoencoderLevel>()->forward(h);
    tell(trace, std::format("decoder.up_blocks.{}", i), h);
  }
  h = conv_out_(conv_norm_out_->silu(h));
  return patch_size_ > 1 ? torch::pixel_shuffle(h, patch_size_) : h;
}

}  // namespace terragen::models
