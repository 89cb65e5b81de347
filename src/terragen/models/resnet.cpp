#include "terragen/models/resnet.h"

#include <format>

namespace terragen::models {

namespace tn = torch::nn;

namespace {

tn::Conv2d plain_convolution(std::int64_t in, std::int64_t out, std::int64_t size, std::int64_t stride) {
  return tn::Conv2d(tn::Conv2dOptions(in, out, size).stride(stride).padding(size / 2).bias(false));
}

}  // namespace

BasicBlockImpl::BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
  conv1_ = register_module("conv1", plain_convolution(in, out, 3, stride));
  bn1_ = register_module("bn1", tn::BatchNorm2d(out));
  conv2_ = register_module("conv2", plain_convolution(out, out, 3, 1));
  bn2_ = register_module("bn2", tn::BatchNorm2d(out));
  if (stride != 1 || in != out) {
    downsample_ =
        register_module("downsample", tn::Sequential(plain_convolution(in, out, 1, stride), tn::BatchNorm2d(out)));
  }
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor h = bn2_(conv2_(torch::relu(bn1_(conv1_(x)))));
  return torch::relu(h + (downsample_ ? downsample_->forward(x) : x));
}

ResNet18Impl::ResNet18Impl(std::int64_t bands) {
  conv1_ = register_module("conv1", plain_convolution(bands, 64, 7, 2));
  bn1_ = register_module("bn1", tn::BatchNorm2d(64));
  std::int64_t in = 64;
  for (int level = 0; level < 4; ++level) {
    const std::int64_t out = kResNet18Channels[level + 1];
    const tn::Sequential layer(BasicBlock(in, out, level == 0 ? 1 : 2), BasicBlock(out, out, 1));
    layers_.push_back(register_module(std::format("layer{}", level + 1), layer));
    in = out;
  }
  for (auto& item : named_parameters()) {
    if (item.value().dim() == 4) tn::init::kaiming_normal_(item.value(), 0.0, torch::kFanOut, torch::kReLU);
  }
}

std::vector<torch::Tensor> ResNet18Impl::forward(const torch::Tensor& x) {
  std::vector<torch::Tensor> features{torch::relu(bn1_(conv1_(x)))};
  torch::Tensor h = torch::max_pool2d(features[0], 3, 2, 1);
  for (tn::Sequential& layer : layers_) {
    h = layer->forward(h);
    features.push_back(h);
  }
  return features;
}

}  // namespace terragen::models
