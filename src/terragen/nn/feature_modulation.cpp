#include "terragen/nn/feature_modulation.h"

namespace terragen::nn {

namespace tn = torch::nn;

FeatureModulationImpl::FeatureModulationImpl(std::int64_t channels, std::int64_t feature_channels,
                                             std::int64_t groups) {
  norm_ = register_module("norm", GroupNorm(groups, channels, 1e-5, false));
  gamma_ = register_module("gamma", tn::Conv2d(tn::Conv2dOptions(feature_channels, channels, 1)));
  beta_ = register_module("beta", tn::Conv2d(tn::Conv2dOptions(feature_channels, channels, 1)));
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : parameters()) parameter.zero_();
}

torch::Tensor FeatureModulationImpl::forward(const torch::Tensor& h, const torch::Tensor& features) {
  torch::Tensor f = torch::silu(features);
  if (f.size(2) != h.size(2) || f.size(3) != h.size(3)) f = at::upsample_nearest2d(f, {h.size(2), h.size(3)});
  return h + norm_(h) * gamma_(f) + beta_(f);
}

}  // namespace terragen::nn
