// The forward process: how much of the signal is left at every time step.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/diffusion/scheduler_config.h"

namespace terragen::diffusion {

// Tables in float32, as diffusers computes them, so that published checkpoints see the same numbers.
class NoiseSchedule {
 public:
  explicit NoiseSchedule(const SchedulerConfig& config);
  const torch::Tensor& betas() const { return betas_; }                    // [T] float32
  const torch::Tensor& alphas_cumprod() const { return alphas_cumprod_; }  // [T] float32
  std::int64_t steps() const { return alphas_cumprod_.size(0); }

  // sqrt(a_t) x0 + sqrt(1 - a_t) noise. x0, noise: [N, ...]; t: [N] int64.
  torch::Tensor add_noise(const torch::Tensor& x0, const torch::Tensor& noise, const torch::Tensor& t) const;
  // sqrt(a_t) noise - sqrt(1 - a_t) x0 (Salimans and Ho 2022).
  torch::Tensor velocity(const torch::Tensor& x0, const torch::Tensor& noise, const torch::Tensor& t) const;
  // Signal-to-noise ratio a_t / (1 - a_t) at t: [N] float32.
  torch::Tensor snr(const torch::Tensor& t) const;

 private:
  torch::Tensor gather(const torch::Tensor& table, const torch::Tensor& t, const torch::Tensor& like) const;
  torch::Tensor betas_;
  torch::Tensor alphas_cumprod_;
};

// The time steps a sampler visits, from noisy to clean (diffusers' "leading", "trailing", "linspace").
// `for_solver`: DPM-Solver's variant, which divides by steps + 1. RequestError when steps is not in [1, T].
std::vector<std::int64_t> spaced_timesteps(const SchedulerConfig& config, std::int64_t steps, bool for_solver);

}  // namespace terragen::diffusion
