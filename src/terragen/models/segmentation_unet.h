// A segmenter: U-Net decoder on ResNet-18 features (Ronneberger et al. 2015, arXiv 1505.04597).
#pragma once

#include <torch/torch.h>

#include "terragen/models/resnet.h"
#include "terragen/models/segmenter.h"

namespace terragen::models {

// encoder, decoder.*, head.
class SegmentationUNetImpl : public Segmenter {
 public:
  SegmentationUNetImpl(std::int64_t bands, std::int64_t classes);
  // x: [N, B, H, W] in [-1, 1], H and W multiples of 32. Logits: [N, K, H, W].
  torch::Tensor forward(const torch::Tensor& x) override;

 private:
  ResNet18 encoder_{nullptr};
  torch::nn::ModuleList decoder_{nullptr};
  torch::nn::Conv2d head_{nullptr};
};
TORCH_MODULE(SegmentationUNet);

}  // namespace terragen::models
