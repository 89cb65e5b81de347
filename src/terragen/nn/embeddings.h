// Numbers as vectors of waves: time steps and coordinates.
#pragma once

#include <torch/torch.h>

namespace terragen::nn {

// Sinusoidal embedding of time steps (Ho et al. 2020, as diffusers computes it).
// timesteps: [N] of any type; result: [N, dim], float32. `flip_sin_to_cos`: cosines first; `freq_shift`: subtracted
// from dim / 2 in the frequencies' exponent.
torch::Tensor timestep_embedding(const torch::Tensor& timesteps, std::int64_t dim, bool flip_sin_to_cos,
                                 double freq_shift, double max_period = 10000.0);

// x: [..., D] coordinates of order one; result: [..., D * 16]: sine and cosine at 8 frequencies 100^(i/8) (GLIGEN).
torch::Tensor fourier_features(const torch::Tensor& x);

// linear_1, SiLU, linear_2. in: [N, in_dim]; out: [N, out_dim].
class TimestepEmbeddingImpl : public torch::nn::Module {
 public:
  TimestepEmbeddingImpl(std::int64_t in_dim, std::int64_t out_dim);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear linear_1_{nullptr}, linear_2_{nullptr};
};
TORCH_MODULE(TimestepEmbedding);

}  // namespace terragen::nn
