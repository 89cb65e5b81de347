#include "terragen/diffusion/sampling_loop.h"

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"

namespace terragen::diffusion {

torch::Tensor sample(Sampler& sampler, const Denoiser& denoiser, torch::Tensor x, const NoiseSource& noise,
                     std::size_t first, const AfterStep& after) {
  const std::vector<double>& timesteps = sampler.timesteps();
  for (std::size_t i = first; i < timesteps.size(); ++i) {
    if (interrupt_requested()) throw Interrupted("stopped while sampling");
    torch::Tensor drawn;
    if (sampler.needs_noise(i)) {
      if (!noise) throw InternalError("[sample] the sampler needs noise and has no source of it");
      drawn = noise(i);
    }
    x = sampler.step(denoiser(sampler.network_input(x, i), timesteps[i]), i, x, drawn);
    if (after) x = after(i, x);
  }
  return x;
}

torch::Tensor guide(const torch::Tensor& null, const torch::Tensor& layout, const torch::Tensor& all,
                    double layout_scale, double text_scale) {
  torch::Tensor result = null + layout_scale * (layout - null);
  if (all.defined()) result = result + text_scale * (all - layout);
  return result;
}

torch::Tensor rescale_guidance(const torch::Tensor& guided, const torch::Tensor& conditioned, double share) {
  if (share == 0) return guided;
  const auto deviation = [](const torch::Tensor& x) { return x.flatten(1).std(1, true, true).view({-1, 1, 1, 1}); };
  const torch::Tensor factor = deviation(conditioned) / deviation(guided).clamp_min(1e-8);
  return guided * (share * factor + (1.0 - share));
}

}  // namespace terragen::diffusion
