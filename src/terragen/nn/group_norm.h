// Group normalisation (Wu and He 2018), alone or followed by SiLU without a further pass over memory.
#pragma once

#include <torch/torch.h>

namespace terragen::nn {

// Parameters `weight` and `bias` [channels], unless `affine` is false. Computes in float32 whatever x is kept in.
class GroupNormImpl : public torch::nn::Module {
 public:
  GroupNormImpl(std::int64_t groups, std::int64_t channels, double eps = 1e-5, bool affine = true);
  // x: [N, channels, ...], float32 or bfloat16; the result is of its type and memory format.
  torch::Tensor forward(const torch::Tensor& x) { return apply(x, false); }
  // silu(forward(x))
  torch::Tensor silu(const torch::Tensor& x) { return apply(x, true); }

 private:
  torch::Tensor apply(const torch::Tensor& x, bool silu);
  std::int64_t groups_;
  double eps_;
  torch::Tensor weight_, bias_;
};
TORCH_MODULE(GroupNorm);

}  // namespace terragen::nn
