// ResNet-18 as a source of features: torchvision's parameter names, any number of bands.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace terragen::models {

// conv1, bn1, conv2, bn2 and, where the shape changes, downsample.0 and .1.
class BasicBlockImpl : public torch::nn::Module {
 public:
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr}, bn2_{nullptr};
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(BasicBlock);

// He et al. 2016 (arXiv 1512.03385): conv1, bn1, layer1 .. layer4; no classifier.
class ResNet18Impl : public torch::nn::Module {
 public:
  explicit ResNet18Impl(std::int64_t bands);
  // x: [N, B, H, W]. Features at strides 2, 4, 8, 16, 32 with 64, 64, 128, 256, 512 channels.
  std::vector<torch::Tensor> forward(const torch::Tensor& x);

 private:
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  std::vector<torch::nn::Sequential> layers_;
};
TORCH_MODULE(ResNet18);

inline constexpr std::int64_t kResNet18Channels[] = {64, 64, 128, 256, 512};

}  // namespace terragen::models
