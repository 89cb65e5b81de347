#include "terragen/diffusion/ddim_sampler.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"

namespace terragen::diffusion {

DdimSampler::DdimSampler(const SchedulerConfig& config, std::int64_t steps, double eta)
    : TableSampler(config, spaced_timesteps(config, steps, false)),
      stride_(config.num_train_timesteps / steps),
      eta_(eta) {
  if (eta < 0 || eta > 1) throw RequestError(std::format("DDIM: eta is {}, not in [0, 1]", eta));
}

torch::Tensor DdimSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                const torch::Tensor& noise) {
  const std::int64_t t = step_at(index);
  // float32 throughout, as the reference computes.
  const float a = alpha(t);
  const float a_previous = alpha(step_after(index, stride_));
  const float b = 1.0F - a;
  predicted_original_ = original(model_output, sample, a);
  torch::Tensor epsilon = model_output;
  if (config_.prediction_type == "v_prediction") {
    epsilon = std::sqrt(a) * model_output + std::sqrt(b) * sample;
  } else if (config_.prediction_type == "sample") {
    epsilon = (sample - std::sqrt(a) * model_output) / std::sqrt(b);
  }
  const float variance = (1.0F - a_previous) / b * (1.0F - a / a_previous);
  const float sigma = static_cast<float>(eta_) * std::sqrt(variance);
  // From pure noise and with eta 1 nothing is left for epsilon: rounding must not make that less than nothing.
  const float direction = std::sqrt(std::max(0.0F, 1.0F - a_previous - sigma * sigma));
  torch::Tensor result = std::sqrt(a_previous) * predicted_original_ + direction * epsilon;
  if (eta_ > 0) result = result + sigma * noise;
  return result;
}

}  // namespace terragen::diffusion
