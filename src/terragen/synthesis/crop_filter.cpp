#include "terragen/synthesis/crop_filter.h"

#include <algorithm>
#include <format>
#include <limits>

#include "terragen/core/error.h"
#include "terragen/synthesis/layout_score.h"

namespace terragen::synthesis {
namespace {

constexpr std::size_t kAtOnce = 32;  // pictures

std::vector<torch::Tensor> pictures_of(const std::vector<Reference>& references) {
  std::vector<torch::Tensor> pictures;
  for (const Reference& reference : references) pictures.push_back(reference.picture);
  return pictures;
}

}  // namespace

CropFilter::CropFilter(models::ReferenceEncoder encoder, const std::vector<Reference>& references,
                       const std::vector<Reference>& others, double reject_share)
    : encoder_(std::move(encoder)), threshold_(-std::numeric_limits<double>::infinity()) {
  if (!(reject_share >= 0 && reject_share < 1)) {
    throw RequestError(std::format("reject_share is {}, not in [0, 1)", reject_share));
  }
  examples_ = features_of(pictures_of(references));
  common_ = torch::zeros({1, examples_.size(1)});
  if (!others.empty()) {
    others_ = features_of(pictures_of(others));
    common_ = (examples_.mean(0, true) + others_.mean(0, true)) / 2;
    others_ = directions_of(others_);
  }
  examples_ = directions_of(examples_);
  if (references.size() < 2) return;
  std::vector<double> margins;
  for (std::int64_t i = 0; i < examples_.size(0); ++i) margins.push_back(margin_of(examples_[i], i));
  threshold_ = rejection_threshold(std::move(margins), reject_share);
}

torch::Tensor CropFilter::features_of(const std::vector<torch::Tensor>& pictures) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> features;
  for (std::size_t first = 0; first < pictures.size(); first += kAtOnce) {
    const std::size_t end = std::min(pictures.size(), first + kAtOnce);
    const torch::Tensor batch =
        torch::stack(at::TensorList(pictures.data() + first, end - first)).to(encoder_->parameters().front().device());
    const torch::Tensor tokens = encoder_->forward(batch).to(torch::kFloat32);  // [n, T, D]
    // Tokens off the thing tell of the ground it stands on, and count by their share of it.
    const torch::Tensor share = encoder_->shares(batch).unsqueeze(2);
    features.push_back(((tokens * share).sum(1) / share.sum(1).clamp_min(1e-6)).cpu());
  }
  return torch::cat(features);
}

// What all things have in common tells none from another.
torch::Tensor CropFilter::directions_of(const torch::Tensor& features) const {
  return torch::nn::functional::normalize(features - common_, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

double CropFilter::margin_of(const torch::Tensor& feature, std::int64_t without) const {
  torch::Tensor alike = torch::mv(examples_, feature).clone();
  if (without >= 0) alike[without] = -1;
  const double other = others_.defined() ? torch::mv(others_, feature).max().item<double>() : 0.0;
  return alike.max().item<double>() - other;
}

double CropFilter::margin(const torch::Tensor& picture) const {
  return margin_of(directions_of(features_of({picture}))[0], -1);
}

}  // namespace terragen::synthesis
