#include "terragen/models/segmentation_unet.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

tn::Sequential decoder_block(std::int64_t in, std::int64_t out) {
  const auto convolution = [](std::int64_t from, std::int64_t to) {
    return tn::Conv2d(tn::Conv2dOptions(from, to, 3).padding(1).bias(false));
  };
  return tn::Sequential(convolution(in, out), tn::BatchNorm2d(out), tn::ReLU(), convolution(out, out),
                        tn::BatchNorm2d(out), tn::ReLU());
}

torch::Tensor doubled(const torch::Tensor& x) {
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}, std::nullopt, std::nullopt);
}

}  // namespace

SegmentationUNetImpl::SegmentationUNetImpl(std::int64_t bands, std::int64_t classes) {
  encoder_ = register_module("encoder", ResNet18(bands));
  decoder_ = register_module("decoder", tn::ModuleList());
  std::int64_t in = kResNet18Channels[4];
  for (const auto& [skip, out] : {std::pair{256, 256}, {128, 128}, {64, 64}, {64, 32}, {0, 16}}) {
    decoder_->push_back(decoder_block(in + skip, out));
    in = out;
  }
  head_ = register_module("head", tn::Conv2d(tn::Conv2dOptions(in, classes, 3).padding(1)));
}

torch::Tensor SegmentationUNetImpl::forward(const torch::Tensor& x) {
  const std::vector<torch::Tensor> features = encoder_->forward(x);
  torch::Tensor h = features.back();
  for (std::size_t level = 0; level < decoder_->size(); ++level) {
    h = doubled(h);
    if (level + 1 < features.size()) h = torch::cat({h, features[features.size() - 2 - level]}, 1);
    h = decoder_[level]->as<tn::Sequential>()->forward(h);
  }
  return head_(h);
}

}  // namespace terragen::models
