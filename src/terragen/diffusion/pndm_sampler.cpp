#include "terragen/diffusion/pndm_sampler.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

constexpr std::size_t kRungeKuttaSteps = 3;  // of four parts each

// The multistep method alone needs its second step twice, to have two points to go by.
std::vector<std::int64_t> pndm_steps(const SchedulerConfig& config, std::int64_t steps) {
  const std::vector<std::int64_t> plain = spaced_timesteps(config, steps, false);
  std::vector<std::int64_t> result;
  if (config.skip_prk_steps) {
    result.push_back(plain[0]);
    if (plain.size() > 1) result.push_back(plain[1]);
    result.insert(result.end(), plain.begin() + 1, plain.end());
    return result;
  }
  if (plain.size() <= kRungeKuttaSteps) {
    throw RequestError("PNDM with Runge-Kutta steps needs at least 4 sampling steps");
  }
  const std::int64_t half = config.num_train_timesteps / steps / 2;
  for (std::size_t i = 0; i < kRungeKuttaSteps; ++i) {
    result.insert(result.end(), {plain[i], plain[i + 1] + half, plain[i + 1] + half, plain[i + 1]});
  }
  result.insert(result.end(), plain.begin() + kRungeKuttaSteps, plain.end());
  return result;
}

}  // namespace

PndmSampler::PndmSampler(const SchedulerConfig& config, std::int64_t steps)
    : TableSampler(config, pndm_steps(config, steps)),
      stride_(config.num_train_timesteps / steps),
      runge_kutta_count_(config.skip_prk_steps ? 0 : 4 * kRungeKuttaSteps) {
  config_.clip_sample = false;
}

torch::Tensor PndmSampler::transferred(const torch::Tensor& sample, std::int64_t t, std::int64_t previous,
                                       const torch::Tensor& model_output) const {
  const float a = alpha(t);
  const float a_previous = alpha(previous);
  const float b = 1.0F - a;
  torch::Tensor epsilon = model_output;
  if (config_.prediction_type == "v_prediction") epsilon = std::sqrt(a) * model_output + std::sqrt(b) * sample;
  const float divisor = a * std::sqrt(1.0F - a_previous) + std::sqrt(a * b * a_previous);
  return std::sqrt(a_previous / a) * sample - (a_previous - a) / divisor * epsilon;
}

torch::Tensor PndmSampler::runge_kutta_step(const torch::Tensor& model_output, std::size_t index,
                                            const torch::Tensor& sample) {
  const std::size_t part = index % 4;
  const std::int64_t t = step_at(index - part);
  if (part == 0) {
    begun_ = sample;
    sum_ = model_output / 6.0;
    outputs_.push_front(model_output);
  } else {
    sum_ = sum_ + model_output / (part == 3 ? 6.0 : 3.0);
  }
  // The first two parts go half way.
  const std::int64_t previous = step_at(index) - (part % 2 == 0 ? stride_ / 2 : 0);
  return transferred(begun_, t, previous, part == 3 ? sum_ : model_output);
}

torch::Tensor PndmSampler::multistep(const torch::Tensor& model_output, std::size_t index,
                                     const torch::Tensor& sample) {
  const std::int64_t t = step_at(index);
  if (index == 1) return transferred(begun_, t + stride_, t, (model_output + outputs_[0]) / 2.0);
  outputs_.push_front(model_output);
  if (outputs_.size() > 4) outputs_.pop_back();
  const auto& e = outputs_;
  torch::Tensor mixed = e[0];
  if (e.size() == 1) {
    begun_ = sample;
  } else if (e.size() == 2) {
    mixed = (3 * e[0] - e[1]) / 2.0;
  } else if (e.size() == 3) {
    mixed = (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12.0;
  } else {
    mixed = (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3]) / 24.0;
  }
  return transferred(sample, t, t - stride_, mixed);
}

torch::Tensor PndmSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                const torch::Tensor&) {
  return index < runge_kutta_count_ ? runge_kutta_step(model_output, index, sample)
                                    : multistep(model_output, index, sample);
}

}  // namespace terragen::diffusion
