// A linear layer that a product of two small matrices may adapt (LoRA, Hu et al. 2021, arXiv 2106.09685).
#pragma once

#include <torch/torch.h>

namespace terragen::nn {

// weight, bias; once adapted also lora_A.weight [rank, in] and lora_B.weight [out, rank], peft's names.
class LowRankLinearImpl : public torch::nn::LinearImpl {
 public:
  using LinearImpl::LinearImpl;
  // Adds the two matrices, the second of zeros, so that at first nothing changes.
  void adapt(std::int64_t rank);
  // x W^T + b + x A^T B^T.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear lora_a_{nullptr}, lora_b_{nullptr};
};
TORCH_MODULE(LowRankLinear);

}  // namespace terragen::nn
