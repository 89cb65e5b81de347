#include "terragen/models/discriminator.h"

#include <format>

#include "terragen/nn/group_norm.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {
namespace {

namespace tn = torch::nn;

constexpr std::int64_t kWidth = 64;

tn::Sequential head(std::int64_t channels) {
  return tn::Sequential(nn::conv3x3(channels, kWidth), nn::GroupNorm(kWidth / 4, kWidth), tn::SiLU(),
                        nn::conv3x3(kWidth, kWidth), tn::SiLU(), tn::Conv2d(tn::Conv2dOptions(kWidth, 1, 1)));
}

// ModuleDict takes no dots in its keys.
std::string key_of(std::string name) {
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

}  // namespace

LatentDiscriminatorImpl::LatentDiscriminatorImpl(const UNet2DConditionModel& unet) {
  const torch::NoGradGuard no_grad;
  features_ = UNet2DConditionModel(unet->config());
  const auto from = unet->named_parameters();
  for (auto& item : features_->named_parameters()) {
    item.value().set_data(from[item.key()].detach().clone());
    item.value().set_requires_grad(false);
  }
  heads_ = register_module("heads", tn::ModuleDict());
  const std::vector<std::int64_t>& channels = unet->config().block_out_channels;
  const auto add = [&](const std::string& name, std::int64_t width) {
    heads_->update({{key_of(name), head(width).ptr()}});
  };
  add("mid_block", channels.back());
  for (std::size_t i = 0; i < channels.size(); ++i) {
    add(std::format("up_blocks.{}", i), channels[channels.size() - 1 - i]);
  }
}

std::vector<torch::Tensor> LatentDiscriminatorImpl::forward(const torch::Tensor& x, const torch::Tensor& t,
                                                            const LayoutEncoding& layout) {
  if (features_->parameters().front().device() != x.device()) features_->to(x.device());
  std::vector<torch::Tensor> verdicts;
  const Trace judge = [&](const std::string& name, const torch::Tensor& value) {
    const std::string key = key_of(name);
    if (!heads_->contains(key)) return;
    const auto sequence = std::dynamic_pointer_cast<tn::SequentialImpl>(heads_[key]);
    verdicts.push_back(sequence->forward(value).to(torch::kFloat32));
  };
  const std::int64_t extra = features_->config().in_channels - x.size(1);  // masked latent and mask: all to be painted
  torch::Tensor input = x;
  if (extra > 0) {
    input = torch::cat({x, torch::zeros({x.size(0), extra - 1, x.size(2), x.size(3)}, x.options()),
                        torch::ones({x.size(0), 1, x.size(2), x.size(3)}, x.options())},
                       1);
  }
  features_->forward(input, t, condition_of(layout), judge);
  return verdicts;
}

}  // namespace terragen::models
