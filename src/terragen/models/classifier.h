// A classifier of windows: ResNet-18 with its last features averaged (He et al. 2016, arXiv 1512.03385).
#pragma once

#include <torch/torch.h>

#include "terragen/models/resnet.h"

namespace terragen::models {

// encoder, fc.
class ClassifierImpl : public torch::nn::Module {
 public:
  ClassifierImpl(std::int64_t bands, std::int64_t classes);
  // x: [N, B, H, W] in [-1, 1], any size. The means of the last features: [N, 512], float32.
  torch::Tensor features(const torch::Tensor& x);
  // Logits: [N, K].
  torch::Tensor forward(const torch::Tensor& x);

 private:
  ResNet18 encoder_{nullptr};
  torch::nn::Linear fc_{nullptr};
};
TORCH_MODULE(Classifier);

}  // namespace terragen::models
