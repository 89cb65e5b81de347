// Euler's method on the probability flow (Karras et al. 2022, algorithm 2 without churn), as diffusers defines it.
#pragma once

#include "terragen/diffusion/sigma_sampler.h"

namespace terragen::diffusion {

class EulerSampler : public SigmaSampler {
 public:
  EulerSampler(const SchedulerConfig& config, std::int64_t steps);
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;
};

}  // namespace terragen::diffusion
