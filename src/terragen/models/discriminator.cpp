#include "terragen/models/discriminator.h"

#include "terragen/nn/resnet_block.h"

namespace terragen::models {
namespace {

namespace tn = torch::nn;

constexpr std::int64_t kNormGroups = 16;
constexpr double kNormEps = 1e-5;

}  // namespace

LatentDiscriminatorImpl::LatentDiscriminatorImpl(const DiscriminatorConfig& config) : waves_(config.channels.front()) {
  time_embedding_ = register_module("time_embedding", nn::TimestepEmbedding(waves_, config.time_dim));
  conv_in_ = register_module("conv_in", nn::conv3x3(config.latent_channels, config.channels.front()));
  layouts_ = register_module("layouts", tn::ModuleList());
  blocks_ = register_module("blocks", tn::ModuleList());
  verdicts_ = register_module("verdicts", tn::ModuleList());
  downsamplers_ = register_module("downsamplers", tn::ModuleList());
  std::int64_t in = config.channels.front();
  for (std::size_t k = 0; k < config.channels.size(); ++k) {
    const std::int64_t out = config.channels[k];
    layouts_->push_back(tn::Conv2d(tn::Conv2dOptions(config.layout_channels[k], in, 1)));
    blocks_->push_back(nn::ResnetBlock2D(in, out, config.time_dim, kNormGroups, kNormEps));
    verdicts_->push_back(tn::Conv2d(tn::Conv2dOptions(out, 1, 1)));
    if (k + 1 < config.channels.size()) downsamplers_->push_back(nn::Downsample2D(out, false));
    in = out;
  }
}

std::vector<torch::Tensor> LatentDiscriminatorImpl::forward(const torch::Tensor& x, const torch::Tensor& t,
                                                            const LayoutEncoding& layout) {
  const torch::Tensor time = time_embedding_(nn::timestep_embedding(t, waves_, true, 0.0)) + layout.time_addition;
  torch::Tensor h = conv_in_(x.contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<torch::Tensor> verdicts;
  for (std::size_t k = 0; k < blocks_->size(); ++k) {
    h = h + layouts_[k]->as<tn::Conv2dImpl>()->forward(layout.features[k]);
    h = blocks_[k]->as<nn::ResnetBlock2DImpl>()->forward(h, time);
    verdicts.push_back(verdicts_[k]->as<tn::Conv2dImpl>()->forward(torch::silu(h)).to(torch::kFloat32));
    if (k < downsamplers_->size()) h = downsamplers_[k]->as<nn::Downsample2DImpl>()->forward(h);
  }
  return verdicts;
}

}  // namespace terragen::models
