// Latent consistency sampling (Luo et al. 2023, arXiv 2310.04378, algorithm 3), as diffusers defines it: every step
// jumps to the clean sample and back to the next, lower noise. For networks distilled to it.
#pragma once

#include "terragen/diffusion/table_sampler.h"

namespace terragen::diffusion {

class LcmSampler : public TableSampler {
 public:
  LcmSampler(const SchedulerConfig& config, std::int64_t steps);
  bool needs_noise(std::size_t index) const override { return index + 1 < timesteps().size(); }
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;
};

}  // namespace terragen::diffusion
