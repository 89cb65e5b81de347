// Euler's method for networks trained by flow matching (Lipman et al. 2023; Esser et al. 2024, arXiv 2403.03206, with
// its shift of the time steps), as diffusers defines it: x = (1 - sigma) x0 + sigma noise, and the network says
// noise - x0.
#pragma once

#include "terragen/diffusion/sampler.h"

namespace terragen::diffusion {

class FlowMatchSampler : public Sampler {
 public:
  FlowMatchSampler(const SchedulerConfig& config, std::int64_t steps);
  const std::vector<double>& timesteps() const override { return timesteps_; }
  // One more than time steps, the last is 0.
  const std::vector<float>& sigmas() const { return sigmas_; }
  NoiseLevel level(std::size_t index) const override;
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  std::vector<double> timesteps_;
  std::vector<float> sigmas_;
};

}  // namespace terragen::diffusion
