// Ancestral sampling (Ho et al. 2020, equations 6 and 7) over a part of the steps, as diffusers defines it.
#pragma once

#include "terragen/diffusion/table_sampler.h"

namespace terragen::diffusion {

class DdpmSampler : public TableSampler {
 public:
  DdpmSampler(const SchedulerConfig& config, std::int64_t steps);
  bool needs_noise(std::size_t index) const override { return step_at(index) > 0; }
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  std::int64_t stride_;
};

}  // namespace terragen::diffusion
