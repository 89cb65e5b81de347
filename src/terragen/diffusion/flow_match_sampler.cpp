#include "terragen/diffusion/flow_match_sampler.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::diffusion {

FlowMatchSampler::FlowMatchSampler(const SchedulerConfig& config, std::int64_t steps) {
  const std::int64_t n = config.num_train_timesteps;
  if (steps < 1 || steps > n) throw RequestError(std::format("{} sampling steps are not in 1..{}", steps, n));
  const auto shifted = [&](double sigma) { return config.shift * sigma / (1.0 + (config.shift - 1.0) * sigma); };
  // From the first to the last training step as the shift has them, and shifted once more, as the reference does.
  const double last = shifted(1.0 / static_cast<double>(n));
  for (std::int64_t i = 0; i < steps; ++i) {
    const double share = steps == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    const auto sigma = static_cast<float>(shifted(1.0 + share * (last - 1.0)));
    sigmas_.push_back(sigma);
    timesteps_.push_back(static_cast<double>(sigma * static_cast<float>(n)));
  }
  sigmas_.push_back(0.0F);
}

NoiseLevel FlowMatchSampler::level(std::size_t index) const {
  const auto sigma = static_cast<double>(sigmas_.at(index));
  return {1.0 - sigma, sigma};
}

torch::Tensor FlowMatchSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                     const torch::Tensor&) {
  const auto now = static_cast<double>(sigmas_.at(index));
  predicted_original_ = sample - now * model_output;
  return sample + (static_cast<double>(sigmas_.at(index + 1)) - now) * model_output;
}

}  // namespace terragen::diffusion
