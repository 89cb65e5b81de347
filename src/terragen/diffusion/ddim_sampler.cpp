#include "terragen/diffusion/ddim_sampler.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "terragen/core/error.h"

namespace terragen::diffusion {

DdimSampler::DdimSampler(const SchedulerConfig& config, std::int64_t steps, double eta)
    : config_(config),
      schedule_(config),
      timesteps_(spaced_timesteps(config, steps, false)),
      stride_(config.num_train_timesteps / steps),
      eta_(eta) {
  if (eta < 0 || eta > 1) throw RequestError(std::format("DDIM: eta is {}, not in [0, 1]", eta));
}

torch::Tensor DdimSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                const torch::Tensor& noise) {
  const std::int64_t t = timesteps_.at(index);
  const std::int64_t previous = t - stride_;
  const auto alphas = schedule_.alphas_cumprod().accessor<float, 1>();
  const float final_alpha = config_.set_alpha_to_one ? 1.0F : alphas[0];
  // float32 throughout, as the reference computes.
  const float a = alphas[t];
  const float a_previous = previous >= 0 ? alphas[previous] : final_alpha;
  const float b = 1.0F - a;
  torch::Tensor original;
  torch::Tensor epsilon;
  if (config_.prediction_type == "epsilon") {
    original = (sample - std::sqrt(b) * model_output) / std::sqrt(a);
    epsilon = model_output;
  } else if (config_.prediction_type == "v_prediction") {
    original = std::sqrt(a) * sample - std::sqrt(b) * model_output;
    epsilon = std::sqrt(a) * model_output + std::sqrt(b) * sample;
  } else {
    original = model_output;
    epsilon = (sample - std::sqrt(a) * original) / std::sqrt(b);
  }
  if (config_.clip_sample) original = original.clamp(-config_.clip_sample_range, config_.clip_sample_range);
  predicted_original_ = original;
  const float variance = (1.0F - a_previous) / b * (1.0F - a / a_previous);
  const float sigma = static_cast<float>(eta_) * std::sqrt(variance);
  // From pure noise and with eta 1 nothing is left for epsilon: rounding must not make that less than nothing.
  const float direction = std::sqrt(std::max(0.0F, 1.0F - a_previous - sigma * sigma));
  torch::Tensor result = std::sqrt(a_previous) * original + direction * epsilon;
  if (eta_ > 0) result = result + sigma * noise;
  return result;
}

}  // namespace terragen::diffusion
