#include "terragen/diffusion/table_sampler.h"

#include <cmath>

namespace terragen::diffusion {

TableSampler::TableSampler(const SchedulerConfig& config, const std::vector<std::int64_t>& steps)
    : config_(config), steps_(steps), timesteps_(steps.begin(), steps.end()) {
  const torch::Tensor table = NoiseSchedule(config).alphas_cumprod();
  alphas_.assign(table.const_data_ptr<float>(), table.const_data_ptr<float>() + table.numel());
}

NoiseLevel TableSampler::level(std::size_t index) const {
  const float a = alpha(step_at(index));
  return {static_cast<double>(std::sqrt(a)), static_cast<double>(std::sqrt(1.0F - a))};
}

std::int64_t TableSampler::step_after(std::size_t index, std::int64_t stride) const {
  if (config_.spacing() != "trailing") return step_at(index) - stride;
  return index + 1 < steps_.size() ? steps_[index + 1] : -1;
}

float TableSampler::alpha(std::int64_t t) const {
  if (t >= 0) return alphas_.at(static_cast<std::size_t>(t));
  return config_.set_alpha_to_one ? 1.0F : alphas_.front();
}

// float32 throughout, as the reference computes.
torch::Tensor TableSampler::original(const torch::Tensor& model_output, const torch::Tensor& sample, float a) const {
  const float b = 1.0F - a;
  torch::Tensor x0 = model_output;
  if (config_.prediction_type == "epsilon") {
    x0 = (sample - std::sqrt(b) * model_output) / std::sqrt(a);
  } else if (config_.prediction_type == "v_prediction") {
    x0 = std::sqrt(a) * sample - std::sqrt(b) * model_output;
  }
  return config_.clip_sample ? x0.clamp(-config_.clip_sample_range, config_.clip_sample_range) : x0;
}

}  // namespace terragen::diffusion
