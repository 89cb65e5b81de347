// UniPC (Zhao et al. 2023, arXiv 2302.04867): a predictor and a corrector of one form, as diffusers defines it.
#pragma once

#include "terragen/diffusion/solver_sampler.h"

namespace terragen::diffusion {

class UniPcSampler : public SolverSampler {
 public:
  UniPcSampler(const SchedulerConfig& config, std::int64_t steps);
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  // From x at place `from` to the next. `corrected`: the output at that next place, undefined for the predictor.
  torch::Tensor update(const torch::Tensor& x, std::size_t from, std::int64_t order,
                       const torch::Tensor& corrected) const;

  torch::Tensor last_sample_;
  std::int64_t order_ = 0;  // of the step before
};

}  // namespace terragen::diffusion
