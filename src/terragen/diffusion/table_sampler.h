// Samplers that step from one entry of the schedule's table to another: x = sqrt(a_t) x0 + sqrt(1 - a_t) noise.
#pragma once

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/diffusion/sampler.h"

namespace terragen::diffusion {

class TableSampler : public Sampler {
 public:
  const std::vector<double>& timesteps() const override { return timesteps_; }
  NoiseLevel level(std::size_t index) const override;

 protected:
  // `steps`: the table's entries that are visited, from noisy to clean.
  TableSampler(const SchedulerConfig& config, const std::vector<std::int64_t>& steps);
  std::int64_t step_at(std::size_t index) const { return steps_.at(index); }
  // The entry that step `index` leads to; negative: the run's end. It lies `stride` before, as in the reference, but
  // with trailing steps, which need not be equally far apart, it is the next one.
  std::int64_t step_after(std::size_t index, std::int64_t stride) const;
  // a_t; before the first step what the run ends at.
  float alpha(std::int64_t t) const;
  // The clean sample that follows from what the network says, clipped where configured.
  torch::Tensor original(const torch::Tensor& model_output, const torch::Tensor& sample, float a) const;

  SchedulerConfig config_;

 private:
  std::vector<std::int64_t> steps_;
  std::vector<double> timesteps_;
  std::vector<float> alphas_;
};

}  // namespace terragen::diffusion
