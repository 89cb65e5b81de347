// Euler's method with fresh noise at every step, the ancestral sampling of k-diffusion (Crowson 2022), as diffusers
// defines it.
#pragma once

#include "terragen/diffusion/sigma_sampler.h"

namespace terragen::diffusion {

class EulerAncestralSampler : public SigmaSampler {
 public:
  EulerAncestralSampler(const SchedulerConfig& config, std::int64_t steps);
  bool needs_noise(std::size_t) const override { return true; }
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;
};

}  // namespace terragen::diffusion
