// DPM-Solver++ (Lu et al. 2022), multistep, orders 1 to 3, as diffusers defines it.
#pragma once

#include "terragen/diffusion/solver_sampler.h"

namespace terragen::diffusion {

class DpmSolverSampler : public SolverSampler {
 public:
  DpmSolverSampler(const SchedulerConfig& config, std::int64_t steps);
  bool needs_noise(std::size_t) const override { return config_.algorithm_type == "sde-dpmsolver++"; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  torch::Tensor first_order(const torch::Tensor& sample, const torch::Tensor& noise, std::size_t index) const;
  torch::Tensor second_order(const torch::Tensor& sample, const torch::Tensor& noise, std::size_t index) const;
  torch::Tensor third_order(const torch::Tensor& sample, std::size_t index) const;
};

}  // namespace terragen::diffusion
