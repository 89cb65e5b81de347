#include "terragen/diffusion/lcm_sampler.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

// Evenly among the steps the network was distilled on.
std::vector<std::int64_t> distilled_steps(const SchedulerConfig& config, std::int64_t steps) {
  const std::int64_t all = config.original_inference_steps;
  if (steps < 1 || steps > all) throw RequestError(std::format("LCM: {} sampling steps are not in 1..{}", steps, all));
  const std::int64_t stride = config.num_train_timesteps / all;
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < steps; ++i) result.push_back((all - i * all / steps) * stride - 1);
  return result;
}

}  // namespace

LcmSampler::LcmSampler(const SchedulerConfig& config, std::int64_t steps)
    : TableSampler(config, distilled_steps(config, steps)) {}

torch::Tensor LcmSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                               const torch::Tensor& noise) {
  const std::int64_t t = step_at(index);
  // Boundary condition (equation 9 there): at time 0 the sample itself is the answer.
  constexpr double kDataVariance = 0.25;
  const double scaled = static_cast<double>(t) * config_.timestep_scaling;
  const double whole = scaled * scaled + kDataVariance;
  predicted_original_ =
      scaled / std::sqrt(whole) * original(model_output, sample, alpha(t)) + kDataVariance / whole * sample;
  if (!needs_noise(index)) return predicted_original_;
  const float a = alpha(step_at(index + 1));
  return std::sqrt(a) * predicted_original_ + std::sqrt(1.0F - a) * noise;
}

}  // namespace terragen::diffusion
