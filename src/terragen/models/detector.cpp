#include "terragen/models/detector.h"

#include <cmath>
#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/group_norm.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

// The share of cells that hold an object before anything is learned: without it the background's loss drowns the rest
// (Lin et al. 2017, arXiv 1708.02002).
constexpr double kPrior = 0.01;

tn::Conv2d same_convolution(std::int64_t in, std::int64_t out, std::int64_t size) {
  return tn::Conv2d(tn::Conv2dOptions(in, out, size).padding(size / 2));
}

tn::Sequential tower(std::int64_t width, std::int64_t layers) {
  tn::Sequential result;
  for (std::int64_t i = 0; i < layers; ++i) {
    result->push_back(same_convolution(width, width, 3));
    result->push_back(nn::GroupNorm(16, width));
    result->push_back(tn::ReLU());
  }
  return result;
}

// [N, C, h, w] to [N, h w, C].
torch::Tensor rows_of(const torch::Tensor& map) { return map.to(torch::kFloat32).flatten(2).transpose(1, 2); }

// Index into the backbone's features (strides 2, 4, 8, 16, 32).
std::size_t level_of(int stride) { return static_cast<std::size_t>(std::lround(std::log2(stride))) - 1; }

}  // namespace

DetectorImpl::DetectorImpl(DetectorConfig config) : config_(std::move(config)) {
  if (config_.strides.empty() || config_.classes < 1) throw RequestError("a detector needs strides and classes");
  for (std::size_t i = 0; i < config_.strides.size(); ++i) {
    const int stride = config_.strides[i];
    if ((stride != 4 && stride != 8 && stride != 16 && stride != 32) ||
        (i > 0 && stride != 2 * config_.strides[i - 1])) {
      throw RequestError(std::format("a pyramid with stride {} there is not possible: 4, 8, 16, 32 in turn", stride));
    }
  }
  backbone_ = register_module("backbone", ResNet18(config_.bands));
  lateral_ = register_module("lateral", tn::ModuleList());
  smooth_ = register_module("smooth", tn::ModuleList());
  for (const int stride : config_.strides) {
    lateral_->push_back(same_convolution(kResNet18Channels[level_of(stride)], config_.width, 1));
    smooth_->push_back(same_convolution(config_.width, config_.width, 3));
  }
  class_tower_ = register_module("class_tower", tower(config_.width, config_.head_layers));
  box_tower_ = register_module("box_tower", tower(config_.width, config_.head_layers));
  class_head_ = register_module("class_head", same_convolution(config_.width, config_.classes, 3));
  box_head_ = register_module("box_head", same_convolution(config_.width, 4, 3));
  centreness_head_ = register_module("centreness_head", same_convolution(config_.width, 1, 3));
  if (config_.oriented) angle_head_ = register_module("angle_head", same_convolution(config_.width, 2, 3));
  const torch::NoGradGuard no_grad;
  class_head_->weight.normal_(0, 0.01);
  class_head_->bias.fill_(-std::log((1 - kPrior) / kPrior));
  box_head_->weight.normal_(0, 0.01);
  box_head_->bias.fill_(1.0);  // boxes of a few cells
}

std::vector<torch::Tensor> DetectorImpl::pyramid(const torch::Tensor& x) {
  const std::vector<torch::Tensor> features = backbone_->forward(x);
  std::vector<torch::Tensor> levels(config_.strides.size());
  torch::Tensor above;
  for (std::size_t i = levels.size(); i > 0; --i) {
    const torch::Tensor own = lateral_[i - 1]->as<tn::Conv2d>()->forward(features[level_of(config_.strides[i - 1])]);
    above = above.defined()
                ? own + at::upsample_nearest2d(above, {own.size(2), own.size(3)}, std::nullopt, std::nullopt)
                : own;
    levels[i - 1] = smooth_[i - 1]->as<tn::Conv2d>()->forward(above);
  }
  return levels;
}

DetectorOutput DetectorImpl::forward(const torch::Tensor& x) {
  std::vector<torch::Tensor> logits, distances, angles, centreness, centres, strides;
  const std::vector<torch::Tensor> levels = pyramid(x);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double stride = config_.strides[i];
    const torch::Tensor of_class = class_tower_->forward(levels[i]);
    const torch::Tensor of_box = box_tower_->forward(levels[i]);
    logits.push_back(rows_of(class_head_(of_class)));
    distances.push_back(torch::softplus(rows_of(box_head_(of_box))) * stride);
    centreness.push_back(rows_of(centreness_head_(of_box)).squeeze(2));
    if (config_.oriented) angles.push_back(rows_of(angle_head_(of_box)));
    const std::int64_t height = levels[i].size(2);
    const std::int64_t width = levels[i].size(3);
    const auto axis = [&](std::int64_t count) {
      return (torch::arange(count, torch::TensorOptions(x.device()).dtype(torch::kFloat32)) + 0.5) * stride;
    };
    const torch::Tensor across = axis(width).unsqueeze(0).expand({height, width});
    const torch::Tensor down = axis(height).unsqueeze(1).expand({height, width});
    centres.push_back(torch::stack({across.flatten(), down.flatten()}, 1));
    strides.push_back(torch::full({height * width}, stride, across.options()));
  }
  return {
      torch::cat(logits, 1),     torch::cat(distances, 1), config_.oriented ? torch::cat(angles, 1) : torch::Tensor(),
      torch::cat(centreness, 1), torch::cat(centres, 0),   torch::cat(strides, 0)};
}

torch::Tensor boxes_from_distances(const torch::Tensor& distances, const torch::Tensor& angle,
                                   const torch::Tensor& centres) {
  const torch::Tensor left = distances.select(-1, 0);
  const torch::Tensor top = distances.select(-1, 1);
  const torch::Tensor right = distances.select(-1, 2);
  const torch::Tensor bottom = distances.select(-1, 3);
  const torch::Tensor theta =
      angle.defined() ? 0.5 * torch::atan2(angle.select(-1, 1), angle.select(-1, 0)) : torch::zeros_like(left);
  const torch::Tensor along = (right - left) / 2;
  const torch::Tensor across = (bottom - top) / 2;
  const torch::Tensor x = centres.select(-1, 0) + along * theta.cos() - across * theta.sin();
  const torch::Tensor y = centres.select(-1, 1) + along * theta.sin() + across * theta.cos();
  return torch::stack({x, y, left + right, top + bottom, theta}, -1);
}

}  // namespace terragen::models
