#include "terragen/diffusion/euler_sampler.h"

namespace terragen::diffusion {

EulerSampler::EulerSampler(const SchedulerConfig& config, std::int64_t steps)
    : SigmaSampler(config, exploding_grid(config, steps)) {}

torch::Tensor EulerSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                 const torch::Tensor&) {
  const double now = sigma(index);
  predicted_original_ = original(model_output, sample, now);
  return sample + (sample - predicted_original_) * ((sigma(index + 1) - now) / now);
}

}  // namespace terragen::diffusion
