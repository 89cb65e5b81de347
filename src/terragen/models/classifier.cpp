#include "terragen/models/classifier.h"

namespace terragen::models {

ClassifierImpl::ClassifierImpl(std::int64_t bands, std::int64_t classes) {
  encoder_ = register_module("encoder", ResNet18(bands));
  fc_ = register_module("fc", torch::nn::Linear(kResNet18Channels[4], classes));
}

torch::Tensor ClassifierImpl::features(const torch::Tensor& x) {
  // Thousands of cells may be summed: not in half precision.
  return encoder_->forward(x).back().to(torch::kFloat32).mean({2, 3});
}

torch::Tensor ClassifierImpl::forward(const torch::Tensor& x) { return fc_(features(x)); }

}  // namespace terragen::models
