#include "terragen/diffusion/dpm_solver_sampler.h"

#include <cmath>

namespace terragen::diffusion {
DpmSolverSampler::DpmSolverSampler(const SchedulerConfig& config, std::int64_t steps) : SolverSampler(config, steps) {}

torch::Tensor DpmSolverSampler::first_order(const torch::Tensor& x, const torch::Tensor& noise, std::size_t i) const {
  const Place s = place(i);
  const Place t = place(i + 1);
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
  const Place t = place(i + 1);
  const Place s0 = place(i);
  const Place s1 = place(i - 1);
  const double h = t.lambda - s0.lambda;
  const double h0 = s0.lambda - s1.lambda;
  const double r0 = h0 / h;
  const torch::Tensor& d0 = outputs_[0];
  const torch::Tensor d1 = (outputs_[0] - outputs_[1]) / r0;
  const bool midpoint = config_.solver_type != "heun";
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
  const Place t = place(i + 1);
  const Place s0 = place(i);
  const Place s1 = place(i - 1);
  const Place s2 = place(i - 2);
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
  outputs_.push_front(converted(model_output, sample, index, config_.algorithm_type != "dpmsolver"));
  if (static_cast<std::int64_t>(outputs_.size()) > config_.solver_order) outputs_.pop_back();
  const std::size_t count = timesteps().size();
  const bool last = index + 1 == count;
  const bool short_run = count < 15;
  const bool final_first = last && (config_.euler_at_final || (config_.lower_order_final && short_run) ||
                                    config_.final_sigmas_type == "zero");
  const bool final_second = index + 2 == count && config_.lower_order_final && short_run;
  const auto known = static_cast<std::int64_t>(outputs_.size());
  // With Karras' steps down to sigma_min the last step has no length: nothing to interpolate over.
  const bool stands_still = sigmas()[index + 1] == sigmas()[index];
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
