#include "terragen/nn/embeddings.h"

#include <cmath>

namespace terragen::nn {

torch::Tensor timestep_embedding(const torch::Tensor& timesteps, std::int64_t dim, bool flip_sin_to_cos,
                                 double freq_shift, double max_period) {
  const std::int64_t half = dim / 2;
  const torch::Tensor exponent = -std::log(max_period) *
                                 torch::arange(half, timesteps.options().dtype(torch::kFloat32)) /
                                 (static_cast<double>(half) - freq_shift);
  const torch::Tensor angle = timesteps.to(torch::kFloat32).unsqueeze(1) * exponent.exp().unsqueeze(0);
  const torch::Tensor sine = angle.sin();
  const torch::Tensor cosine = angle.cos();
  torch::Tensor embedding = flip_sin_to_cos ? torch::cat({cosine, sine}, 1) : torch::cat({sine, cosine}, 1);
  if (dim % 2 == 1) embedding = torch::constant_pad_nd(embedding, {0, 1});
  return embedding;
}

torch::Tensor fourier_features(const torch::Tensor& x) {
  const torch::Tensor index = torch::arange(8, x.options().dtype(torch::kFloat32));
  const torch::Tensor frequencies = torch::pow(100.0, index / 8.0);
  const torch::Tensor angle = x.unsqueeze(-1) * frequencies;
  return torch::cat({angle.sin(), angle.cos()}, -1).flatten(-2);
}

TimestepEmbeddingImpl::TimestepEmbeddingImpl(std::int64_t in_dim, std::int64_t out_dim) {
  linear_1_ = register_module("linear_1", torch::nn::Linear(in_dim, out_dim));
  linear_2_ = register_module("linear_2", torch::nn::Linear(out_dim, out_dim));
}

torch::Tensor TimestepEmbeddingImpl::forward(const torch::Tensor& x) { return linear_2_(torch::silu(linear_1_(x))); }

}  // namespace terragen::nn
