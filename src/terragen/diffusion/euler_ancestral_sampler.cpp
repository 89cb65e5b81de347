#include "terragen/diffusion/euler_ancestral_sampler.h"

#include <cmath>

namespace terragen::diffusion {

EulerAncestralSampler::EulerAncestralSampler(const SchedulerConfig& config, std::int64_t steps)
    : SigmaSampler(config, exploding_grid(config, steps)) {}

torch::Tensor EulerAncestralSampler::step(const torch::Tensor& model_output, std::size_t index,
                                          const torch::Tensor& sample, const torch::Tensor& noise) {
  const double from = sigma(index);
  const double to = sigma(index + 1);
  // The variance of the next level splits into what the step goes down to and what fresh noise brings back.
  const double up = to / from * std::sqrt(from * from - to * to);
  const double down = std::sqrt(to * to - up * up);
  predicted_original_ = original(model_output, sample, from);
  return sample + (sample - predicted_original_) * ((down - from) / from) + up * noise;
}

}  // namespace terragen::diffusion
