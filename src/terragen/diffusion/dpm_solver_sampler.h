// DPM-Solver++ (Lu et al. 2022), multistep, orders 1 to 3, as diffusers defines it.
#pragma once

#include <deque>

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/diffusion/sampler.h"

namespace terragen::diffusion {

class DpmSolverSampler : public Sampler {
 public:
  DpmSolverSampler(const SchedulerConfig& config, std::int64_t steps);
  const std::vector<std::int64_t>& timesteps() const override { return timesteps_; }
  // steps + 1 values, the last is where the run ends.
  const std::vector<float>& sigmas() const { return sigmas_; }
  bool needs_noise(std::size_t) const override { return config_.algorithm_type == "sde-dpmsolver++"; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  // Signal, noise and half log-SNR at a sigma.
  struct Level {
    double alpha, sigma, lambda;
  };
  Level level(std::size_t index) const;
  torch::Tensor converted(const torch::Tensor& model_output, const torch::Tensor& sample, std::size_t index) const;
  torch::Tensor first_order(const torch::Tensor& sample, const torch::Tensor& noise, std::size_t index) const;
  torch::Tensor second_order(const torch::Tensor& sample, const torch::Tensor& noise, std::size_t index) const;
  torch::Tensor third_order(const torch::Tensor& sample, std::size_t index) const;

  SchedulerConfig config_;
  std::vector<std::int64_t> timesteps_;
  std::vector<float> sigmas_;
  std::deque<torch::Tensor> outputs_;  // newest first
};

}  // namespace terragen::diffusion
