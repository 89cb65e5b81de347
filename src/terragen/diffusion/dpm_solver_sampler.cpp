#include "terragen/diffusion/dpm_solver_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

// The schedule's sigma at every training step, in float64 as the reference interpolates.
std::vector<double> training_sigmas(const NoiseSchedule& schedule) {
  const auto alphas = schedule.alphas_cumprod().accessor<float, 1>();
  std::vector<double> sigmas;
  for (std::int64_t t = 0; t < schedule.steps(); ++t) {
    const float ratio = (1.0F - alphas[t]) / alphas[t];
    sigmas.push_back(static_cast<double>(std::sqrt(ratio)));
  }
  return sigmas;
}

// The (fractional) training step of a sigma, by linear interpolation of log sigma, rounded.
std::int64_t timestep_of(double sigma, const std::vector<double>& sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const auto n = static_cast<std::int64_t>(sigmas.size());
  std::int64_t low = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (log_sigma - std::log(sigmas[static_cast<std::size_t>(i)]) >= 0) low = i;
  }
  low = std::min(low, n - 2);
  const double a = std::log(sigmas[static_cast<std::size_t>(low)]);
  const double b = std::log(sigmas[static_cast<std::size_t>(low + 1)]);
  const double w = std::clamp((a - log_sigma) / (a - b), 0.0, 1.0);
  return static_cast<std::int64_t>(
      std::nearbyint((1 - w) * static_cast<double>(low) + w * static_cast<double>(low + 1)));
}

}  // namespace

DpmSolverSampler::DpmSolverSampler(const SchedulerConfig& config, std::int64_t steps)
    : config_(config), timesteps_(spaced_timesteps(config, steps, true)) {
  const NoiseSchedule schedule(config);
  const std::vector<double> all = training_sigmas(schedule);
  if (config.use_karras_sigmas) {
    // Karras et al. 2022, equation 5, rho = 7.
    const double low = std::pow(all.front(), 1.0 / 7);
    const double high = std::pow(all.back(), 1.0 / 7);
    timesteps_.clear();
    for (std::int64_t i = 0; i < steps; ++i) {
      const double ramp = steps == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(steps - 1);
      const double sigma = std::pow(high + ramp * (low - high), 7.0);
      sigmas_.push_back(static_cast<float>(sigma));
      timesteps_.push_back(timestep_of(sigma, all));
    }
  } else {
    for (const std::int64_t t : timesteps_) sigmas_.push_back(static_cast<float>(all[static_cast<std::size_t>(t)]));
  }
  sigmas_.push_back(config.final_sigmas_type == "zero" ? 0.0F : static_cast<float>(all.front()));
}

DpmSolverSampler::Level DpmSolverSampler::level(std::size_t index) const {
  const float sigma = sigmas_[index];
  const float alpha = 1.0F / std::sqrt(sigma * sigma + 1.0F);
  const float scaled = sigma * alpha;
  const double lambda = static_cast<double>(std::log(alpha) - std::log(scaled));
  return {static_cast<double>(alpha), static_cast<double>(scaled), lambda};
}

torch::Tensor DpmSolverSampler::converted(const torch::Tensor& model_output, const torch::Tensor& sample,
                                          std::size_t index) const {
  const Level now = level(index);
  const bool wants_original = config_.algorithm_type != "dpmsolver";
  if (config_.prediction_type == "epsilon") {
    return wants_original ? (sample - now.sigma * model_output) / now.alpha : model_output;
  }
  if (config_.prediction_type == "v_prediction") {
    return wants_original ? now.alpha * sample - now.sigma * model_output
                          : now.alpha * model_output + now.sigma * sample;
  }
  return wants_original ? model_output : (sample - now.alpha * model_output) / now.sigma;
}

torch::Tensor DpmSolverSampler::first_order(const torch::Tensor& x, const torch::Tensor& noise, std::size_t i) const {
  const Level s = level(i);
  const Level t = level(i + 1);
  const double h = t.lambda - s.lambda;
  if (config_.algorithm_type == "dpmsolver++") {
    return (t.sigma / s.sigma) * x - t.alpha * std::expm1(-h) * outputs_[0];
  }
  if (config_.algorithm_type == "dpmsolver") {
    return (t.alpha / s.alpha) * x - t.sigma * std::expm1(h) * outputs_[0];
  }
  return (t.sigma / s.sigma * std::exp(-h)) * x - t.alpha * std::expm1(-2 * h) * outputs_[0] +
         t.sigma * std::sqrt(-std::expm1(-2 * h)) * noise;
}

torch::Tensor DpmSolverSampler::second_order(const torch::Tensor& x, const torch::Tensor& noise, std::size_t i) const {
  const Level t = level(i + 1);
  const Level s0 = level(i);
  const Level s1 = level(i - 1);
  const double h = t.lambda - s0.lambda;
  const double h0 = s0.lambda - s1.lambda;
  const double r0 = h0 / h;
  const torch::Tensor& d0 = outputs_[0];
  const torch::Tensor d1 = (outputs_[0] - outputs_[1]) / r0;
  const bool midpoint = config_.solver_type == "midpoint";
  if (config_.algorithm_type == "dpmsolver++") {
    const double phi = std::expm1(-h);
    const torch::Tensor base = (t.sigma / s0.sigma) * x - t.alpha * phi * d0;
    return midpoint ? base - 0.5 * t.alpha * phi * d1 : base + t.alpha * (phi / h + 1.0) * d1;
  }
  if (config_.algorithm_type == "dpmsolver") {
    const double phi = std::expm1(h);
    const torch::Tensor base = (t.alpha / s0.alpha) * x - t.sigma * phi * d0;
    return midpoint ? base - 0.5 * t.sigma * phi * d1 : base - t.sigma * (phi / h - 1.0) * d1;
  }
  const double phi = -std::expm1(-2 * h);
  const torch::Tensor base =
      (t.sigma / s0.sigma * std::exp(-h)) * x + t.alpha * phi * d0 + t.sigma * std::sqrt(phi) * noise;
  return midpoint ? base + 0.5 * t.alpha * phi * d1 : base + t.alpha * (phi / (-2.0 * h) + 1.0) * d1;
}

torch::Tensor DpmSolverSampler::third_order(const torch::Tensor& x, std::size_t i) const {
  const Level t = level(i + 1);
  const Level s0 = level(i);
  const Level s1 = level(i - 1);
  const Level s2 = level(i - 2);
  const double h = t.lambda - s0.lambda;
  const double r0 = (s0.lambda - s1.lambda) / h;
  const double r1 = (s1.lambda - s2.lambda) / h;
  const torch::Tensor& d0 = outputs_[0];
  const torch::Tensor d10 = (outputs_[0] - outputs_[1]) / r0;
  const torch::Tensor d11 = (outputs_[1] - outputs_[2]) / r1;
  const torch::Tensor d1 = d10 + (r0 / (r0 + r1)) * (d10 - d11);
  const torch::Tensor d2 = (1.0 / (r0 + r1)) * (d10 - d11);
  if (config_.algorithm_type == "dpmsolver++") {
    const double phi = std::expm1(-h);
    return (t.sigma / s0.sigma) * x - t.alpha * phi * d0 + t.alpha * (phi / h + 1.0) * d1 -
           t.alpha * ((phi + h) / (h * h) - 0.5) * d2;
  }
  const double phi = std::expm1(h);
  return (t.alpha / s0.alpha) * x - t.sigma * phi * d0 - t.sigma * (phi / h - 1.0) * d1 -
         t.sigma * ((phi - h) / (h * h) - 0.5) * d2;
}

torch::Tensor DpmSolverSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                     const torch::Tensor& noise) {
  outputs_.push_front(converted(model_output, sample, index));
  if (static_cast<std::int64_t>(outputs_.size()) > config_.solver_order) outputs_.pop_back();
  const std::size_t count = timesteps_.size();
  const bool last = index + 1 == count;
  const bool short_run = count < 15;
  const bool final_first = last && (config_.euler_at_final || (config_.lower_order_final && short_run) ||
                                    config_.final_sigmas_type == "zero");
  const bool final_second = index + 2 == count && config_.lower_order_final && short_run;
  const auto known = static_cast<std::int64_t>(outputs_.size());
  // With Karras' steps down to sigma_min the last step has no length: nothing to interpolate over.
  const bool stands_still = sigmas_[index + 1] == sigmas_[index];
  const bool wants_noise = needs_noise(index);
  const torch::Tensor drawn = wants_noise ? noise : torch::Tensor();
  torch::Tensor result;
  if (config_.solver_order == 1 || known < 2 || final_first || stands_still) {
    result = first_order(sample, drawn, index);
  } else if (config_.solver_order == 2 || known < 3 || final_second) {
    result = second_order(sample, drawn, index);
  } else {
    result = third_order(sample, index);
  }
  return result;
}

}  // namespace terragen::diffusion
