// Heun's second-order method on the probability flow (Karras et al. 2022, algorithm 1), as diffusers defines it. Every
// step but the last asks the network twice, so that there are 2 n - 1 of them.
#pragma once

#include "terragen/diffusion/sigma_sampler.h"

namespace terragen::diffusion {

class HeunSampler : public SigmaSampler {
 public:
  HeunSampler(const SchedulerConfig& config, std::int64_t steps);
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  torch::Tensor begun_;  // the sample the step began at
  torch::Tensor slope_;  // there
};

}  // namespace terragen::diffusion
