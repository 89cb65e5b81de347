// Injection of a feature map into a network: h + GroupNorm(h) * gamma(F) + beta(F), nothing at initialisation.
#pragma once

#include <torch/torch.h>

#include "terragen/nn/group_norm.h"

namespace terragen::nn {

class FeatureModulationImpl : public torch::nn::Module {
 public:
  FeatureModulationImpl(std::int64_t channels, std::int64_t feature_channels, std::int64_t groups);
  // h: [N, channels, H, W]; features: [N, feature_channels, H', W'], resized to H x W where they differ.
  torch::Tensor forward(const torch::Tensor& h, const torch::Tensor& features);

 private:
  GroupNorm norm_{nullptr};
  torch::nn::Conv2d gamma_{nullptr}, beta_{nullptr};
};
TORCH_MODULE(FeatureModulation);

}  // namespace terragen::nn
