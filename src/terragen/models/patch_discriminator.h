// Tells decoded images from real ones, patch by patch. Part of training alone.
#pragma once

#include <torch/torch.h>

namespace terragen::models {

// Isola et al. 2017 (arXiv 1611.07004), PatchGAN: each verdict sees a window of 38 pixels, so that texture is judged
// and the scene is not.
class PatchDiscriminatorImpl : public torch::nn::Module {
 public:
  explicit PatchDiscriminatorImpl(std::int64_t bands);
  // image: [N, B, H, W] in [-1, 1]. Result: [N, 1, H / 8, W / 8], float32, positive for "real".
  torch::Tensor forward(const torch::Tensor& image);

 private:
  torch::nn::Sequential layers_{nullptr};
};
TORCH_MODULE(PatchDiscriminator);

}  // namespace terragen::models
