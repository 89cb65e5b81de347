// Any network that gives every pixel a class.
#pragma once

#include <torch/torch.h>

namespace terragen::models {

class Segmenter : public torch::nn::Module {
 public:
  // x: [N, B, H, W] in [-1, 1], H and W multiples of 32. Logits: [N, K, H, W].
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
};

}  // namespace terragen::models
