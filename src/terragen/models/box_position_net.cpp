#include "terragen/models/box_position_net.h"

#include <format>

#include "terragen/core/error.h"
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

BoxCondition with_empty_places(const BoxCondition& condition, std::int64_t places) {
  const std::int64_t missing = places - condition.mask.size(1);
  if (missing < 0) {
    throw RequestError(std::format("{} boxes are more than the {} the model takes", condition.mask.size(1), places));
  }
  return {torch::constant_pad_nd(condition.boxes, {0, 0, 0, missing}),
          torch::constant_pad_nd(condition.mask, {0, missing}),
          torch::constant_pad_nd(condition.embeddings, {0, 0, 0, missing})};
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
