#include "terragen/nn/low_rank_linear.h"

namespace terragen::nn {

void LowRankLinearImpl::adapt(std::int64_t rank) {
  const auto plain = [](std::int64_t in, std::int64_t out) {
    return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
  };
  lora_a_ = register_module("lora_A", plain(options.in_features(), rank));
  lora_b_ = register_module("lora_B", plain(rank, options.out_features()));
  const torch::NoGradGuard no_grad;
  lora_b_->weight.zero_();
}

torch::Tensor LowRankLinearImpl::forward(const torch::Tensor& x) {
  const torch::Tensor y = LinearImpl::forward(x);
  return lora_a_ ? y + lora_b_(lora_a_(x)) : y;
}

}  // namespace terragen::nn
