#include "terragen/diffusion/ddpm_sampler.h"

#include <algorithm>
#include <cmath>

namespace terragen::diffusion {

DdpmSampler::DdpmSampler(const SchedulerConfig& config, std::int64_t steps)
    : TableSampler(config, spaced_timesteps(config, steps, false)), stride_(config.num_train_timesteps / steps) {
  // The run ends at the clean sample; the key is DDIM's.
  config_.set_alpha_to_one = true;
}

torch::Tensor DdpmSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                const torch::Tensor& noise) {
  const std::int64_t t = step_at(index);
  const float a = alpha(t);
  const float a_previous = alpha(step_after(index, stride_));
  const float kept = a / a_previous;
  predicted_original_ = original(model_output, sample, a);
  torch::Tensor result = std::sqrt(a_previous) * (1.0F - kept) / (1.0F - a) * predicted_original_ +
                         std::sqrt(kept) * (1.0F - a_previous) / (1.0F - a) * sample;
  if (!needs_noise(index)) return result;
  const bool large = config_.variance_type == "fixed_large";
  const float variance = large ? 1.0F - kept : (1.0F - a_previous) / (1.0F - a) * (1.0F - kept);
  return result + std::sqrt(std::max(variance, 1e-20F)) * noise;
}

}  // namespace terragen::diffusion
