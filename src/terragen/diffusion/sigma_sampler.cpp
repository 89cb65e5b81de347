#include "terragen/diffusion/sigma_sampler.h"

#include <cmath>

namespace terragen::diffusion {

SigmaSampler::SigmaSampler(const SchedulerConfig& config, SigmaGrid grid) : config_(config), grid_(std::move(grid)) {}

double SigmaSampler::initial_scale() const {
  const double most = sigma(0);
  // With "leading" steps the run begins short of the noisiest step, where the signal still counts.
  return config_.spacing() == "leading" ? std::sqrt(most * most + 1.0) : most;
}

torch::Tensor SigmaSampler::network_input(const torch::Tensor& sample, std::size_t index) const {
  return sample / std::sqrt(sigma(index) * sigma(index) + 1.0);
}

torch::Tensor SigmaSampler::original(const torch::Tensor& model_output, const torch::Tensor& sample,
                                     double sigma) const {
  if (config_.prediction_type == "epsilon") return sample - sigma * model_output;
  if (config_.prediction_type == "sample") return model_output;
  const double square = sigma * sigma + 1.0;
  return sample / square - sigma / std::sqrt(square) * model_output;
}

}  // namespace terragen::diffusion
