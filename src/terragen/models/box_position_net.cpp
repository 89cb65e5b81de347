#include "terragen/models/box_position_net.h"

#include "terragen/nn/embeddings.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {
constexpr std::int64_t kBoxWaves = 64;
constexpr std::int64_t kBoxHidden = 512;
}  // namespace

torch::Tensor box_waves(const torch::Tensor& boxes) {
  const std::int64_t n = boxes.size(0);
  const std::int64_t count = boxes.size(1);
  return nn::fourier_features(boxes).view({n, count, 4, 2, 8}).permute({0, 1, 4, 3, 2}).reshape({n, count, kBoxWaves});
}

BoxPositionNetImpl::BoxPositionNetImpl(std::int64_t text_dim) {
  linears_ = register_module(
      "linears", tn::Sequential(tn::Linear(text_dim + kBoxWaves, kBoxHidden), tn::SiLU(),
                                tn::Linear(kBoxHidden, kBoxHidden), tn::SiLU(), tn::Linear(kBoxHidden, text_dim)));
  null_positive_ = register_parameter("null_positive_feature", torch::zeros({text_dim}));
  null_position_ = register_parameter("null_position_feature", torch::zeros({kBoxWaves}));
}

torch::Tensor BoxPositionNetImpl::forward(const BoxCondition& condition) {
  const torch::Tensor mask = condition.mask.unsqueeze(-1);
  const torch::Tensor text = condition.embeddings * mask + (1.0 - mask) * null_positive_;
  const torch::Tensor place = box_waves(condition.boxes) * mask + (1.0 - mask) * null_position_;
  return linears_->forward(torch::cat({text, place}, -1));
}

}  // namespace terragen::models
