// PNDM (Liu et al. 2022, arXiv 2202.09778): linear multistep on the curve of the noise, with or without Runge-Kutta
// steps at the beginning, as diffusers defines it.
#pragma once

#include <deque>

#include "terragen/diffusion/table_sampler.h"

namespace terragen::diffusion {

class PndmSampler : public TableSampler {
 public:
  PndmSampler(const SchedulerConfig& config, std::int64_t steps);
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  torch::Tensor runge_kutta_step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample);
  torch::Tensor multistep(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample);
  // Equation 11 there, from t to `previous`.
  torch::Tensor transferred(const torch::Tensor& sample, std::int64_t t, std::int64_t previous,
                            const torch::Tensor& model_output) const;

  std::int64_t stride_;
  std::size_t runge_kutta_count_;
  std::deque<torch::Tensor> outputs_;  // newest first
  torch::Tensor begun_;                // the sample that a step of several parts began at
  torch::Tensor sum_;                  // of the Runge-Kutta parts so far
};

}  // namespace terragen::diffusion
