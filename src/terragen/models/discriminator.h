// Tells noisy latents of real images from painted ones, under their layout. Part of training alone.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/layout_encoder.h"
#include "terragen/models/unet.h"

namespace terragen::models {

// Small heads on what a frozen U-Net makes of its input (Sauer et al. 2024, latent adversarial distillation): a network
// that was taught to denoise knows edges, surfaces and layouts already, so that the heads learn to tell within a few
// hundred steps.
class LatentDiscriminatorImpl : public torch::nn::Module {
 public:
  // Keeps a copy of `unet` as it is now; it is no part of parameters().
  explicit LatentDiscriminatorImpl(const UNet2DConditionModel& unet);
  // x: [N, C, h, w], noised to time step t: [N]. Result: verdicts at several depths, [N, 1, h / 2^k, w / 2^k], float32,
  // positive for "real".
  std::vector<torch::Tensor> forward(const torch::Tensor& x, const torch::Tensor& t, const LayoutEncoding& layout);

 private:
  UNet2DConditionModel features_{nullptr};
  torch::nn::ModuleDict heads_{nullptr};
};
TORCH_MODULE(LatentDiscriminator);

}  // namespace terragen::models
