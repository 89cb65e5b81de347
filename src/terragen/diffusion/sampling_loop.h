// The one loop from noise to a clean sample.
#pragma once

#include <torch/torch.h>

#include <functional>

#include "terragen/diffusion/sampler.h"

namespace terragen::diffusion {

// What the network says about its input x: [N, C, h, w] at time step t (the same for the whole batch).
using Denoiser = std::function<torch::Tensor(const torch::Tensor& x, double t)>;
// Noise for step `index`, shaped like x; called only where the sampler needs it.
using NoiseSource = std::function<torch::Tensor(std::size_t index)>;
// What becomes of the sample after step `index`.
using AfterStep = std::function<torch::Tensor(std::size_t index, const torch::Tensor& x)>;

// x: standard normal noise times sampler.initial_scale(). Throws Interrupted between steps when the user asked to stop.
// `first`: steps before it are left out, because x is as noisy as there already, see Sampler::noised (Meng et al. 2022,
// arXiv 2108.01073); only samplers that remember nothing can begin late.
torch::Tensor sample(Sampler& sampler, const Denoiser& denoiser, torch::Tensor x, const NoiseSource& noise = {},
                     std::size_t first = 0, const AfterStep& after = {});

// Classifier-free guidance at two scales (Brooks et al. 2023 for two conditions):
//   null + layout_scale (layout - null) + text_scale (all - layout); `all` undefined: no text.
torch::Tensor guide(const torch::Tensor& null, const torch::Tensor& layout, const torch::Tensor& all,
                    double layout_scale, double text_scale);

// Guidance widens what the network says and with it contrast and colour. Gives each sample of `guided` the deviation of
// `conditioned`, mixed with itself: share 1 is all of it, 0 none (Lin et al. 2023, arXiv 2305.08891, eq. 14 to 16).
torch::Tensor rescale_guidance(const torch::Tensor& guided, const torch::Tensor& conditioned, double share);

}  // namespace terragen::diffusion
