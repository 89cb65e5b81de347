// DDIM (Song et al. 2021), as diffusers defines it.
#pragma once

#include "terragen/diffusion/table_sampler.h"

namespace terragen::diffusion {

class DdimSampler : public TableSampler {
 public:
  // eta in [0, 1]: the share of fresh noise.
  DdimSampler(const SchedulerConfig& config, std::int64_t steps, double eta);
  bool needs_noise(std::size_t) const override { return eta_ > 0; }
  bool remembers() const override { return false; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  std::int64_t stride_;
  double eta_;
};

}  // namespace terragen::diffusion
