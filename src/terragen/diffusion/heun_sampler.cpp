#include "terragen/diffusion/heun_sampler.h"

namespace terragen::diffusion {
namespace {

// Every level between the first and the last twice: where a step ends, and where the next begins.
SigmaGrid heun_grid(const SchedulerConfig& config, std::int64_t steps) {
  const SigmaGrid plain = exploding_grid(config, steps);
  SigmaGrid grid{.timesteps = {plain.timesteps.front()}, .sigmas = {plain.sigmas.front()}};
  for (std::size_t i = 1; i < plain.timesteps.size(); ++i) {
    grid.timesteps.insert(grid.timesteps.end(), 2, plain.timesteps[i]);
    grid.sigmas.insert(grid.sigmas.end(), 2, plain.sigmas[i]);
  }
  grid.sigmas.push_back(plain.sigmas.back());
  return grid;
}

}  // namespace

HeunSampler::HeunSampler(const SchedulerConfig& config, std::int64_t steps)
    : SigmaSampler(config, heun_grid(config, steps)) {}

torch::Tensor HeunSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                                const torch::Tensor&) {
  const bool second = index % 2 == 1;
  const double here = sigma(index);
  predicted_original_ = original(model_output, sample, here);
  if (config_.clip_sample) {
    predicted_original_ = predicted_original_.clamp(-config_.clip_sample_range, config_.clip_sample_range);
  }
  const torch::Tensor slope = (sample - predicted_original_) / here;
  if (second) return begun_ + (slope_ + slope) * (0.5 * (here - sigma(index - 1)));
  begun_ = sample;
  slope_ = slope;
  return sample + slope * (sigma(index + 1) - here);
}

}  // namespace terragen::diffusion
