// The linear multistep method of fourth order (Adams and Bashforth) on the probability flow, as diffusers defines it.
#pragma once

#include <deque>

#include "terragen/diffusion/sigma_sampler.h"

namespace terragen::diffusion {

class LmsSampler : public SigmaSampler {
 public:
  LmsSampler(const SchedulerConfig& config, std::int64_t steps);
  torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                     const torch::Tensor& noise) override;

 private:
  // What slope `which` (0: the newest) of `count` is worth over step `index`.
  double weight(std::size_t index, std::size_t which, std::size_t count) const;
  std::deque<torch::Tensor> slopes_;  // newest first
};

}  // namespace terragen::diffusion
