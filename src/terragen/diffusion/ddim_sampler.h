// DDIM (Song et al. 2021), as diffusers defines it.
#pragma once

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/diffusion/sampler.h"

namespace terragen::diffusion {

class DdimSampler : public Sampler {
 public:
  DdimSampler(const SchedulerConfig& config, std::int64_t steps, double eta);
  const std::vector<std::int64_t>& timesteps() const override { return timesteps_; }
  bool needs_noise(std::size_t) const override { return eta_ > 0; }
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;
  // The clean sample as the last step predicted it.
  const torch::Tensor& predicted_original() const { return predicted_original_; }

 private:
  SchedulerConfig config_;
  NoiseSchedule schedule_;
  std::vector<std::int64_t> timesteps_;
  std::int64_t stride_;
  double eta_;
  torch::Tensor predicted_original_;
};

}  // namespace terragen::diffusion
