#include "terragen/models/sam_prompt_encoder.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

constexpr double kFarthest = 1e6;  // pixels; beyond, and of what is not a number, the encoding means nothing

bool near_an_image(const torch::Tensor& pixels) { return pixels.abs().le(kFarthest).all().item<bool>(); }

}  // namespace

std::int64_t MaskPrompts::count() const {
  for (const torch::Tensor& prompt : {points, boxes, masks}) {
    if (prompt.defined()) return prompt.dim() > 0 ? prompt.size(0) : 0;
  }
  return 0;
}

void MaskPrompts::validate() const {
  const auto refuse = [](const std::string& what) { throw RequestError("prompts: " + what); };
  const std::int64_t n = count();
  if (n == 0) refuse("there is neither a point nor a box nor a mask");
  if (points.defined() != labels.defined()) refuse("points and labels come together");
  if (points.defined()) {
    if (points.dim() != 3 || points.size(2) != 2 || !points.is_floating_point())
      refuse("points have the form [N, K, 2]");
    if (labels.sizes() != points.sizes().slice(0, 2)) refuse("there is one label a point");
    if (labels.numel() > 0 && (labels.lt(-1) | labels.gt(1)).any().item<bool>()) refuse("labels are 1, 0 or -1");
    if (!near_an_image(points)) refuse("a point lies nowhere near an image");
  }
  if (boxes.defined()) {
    if (boxes.dim() != 2 || boxes.size(1) != 4 || !boxes.is_floating_point()) refuse("boxes have the form [N, 4]");
    if (boxes.size(0) != n) refuse(std::format("there are {} boxes for {} objects", boxes.size(0), n));
    if (!near_an_image(boxes)) refuse("a box lies nowhere near an image");
  }
  if (masks.defined()) {
    if (masks.dim() != 4 || masks.size(1) != 1 || !masks.is_floating_point())
      refuse("masks have the form [N, 1, h, w]");
    if (masks.size(0) != n) refuse(std::format("there are {} masks for {} objects", masks.size(0), n));
    if (!masks.isfinite().all().item<bool>()) refuse("a mask has values that are no numbers");
  }
}

SamPromptEncoderImpl::SamPromptEncoderImpl(std::int64_t channels, std::int64_t grid, std::int64_t image_size,
                                           std::int64_t mask_channels)
    : grid_(grid), image_size_(image_size) {
  pe_layer_ = register_module("pe_layer", RandomFourierEncoding(channels));
  for (int i = 0; i < 4; ++i) {
    point_embeddings_.emplace_back(1, channels);
    register_at(*this, std::format("point_embeddings.{}", i), point_embeddings_.back().ptr());
  }
  not_a_point_ = register_module("not_a_point_embed", tn::Embedding(1, channels));
  no_mask_ = register_module("no_mask_embed", tn::Embedding(1, channels));
  const std::vector<std::int64_t> widths = {1, mask_channels / 4, mask_channels, channels};
  for (std::size_t i = 0; i < 3; ++i) {
    const bool last = i == 2;
    mask_convolutions_.emplace_back(tn::Conv2dOptions(widths[i], widths[i + 1], last ? 1 : 2).stride(last ? 1 : 2));
    // Numbered through: convolution, norm, activation.
    register_at(*this, std::format("mask_downscaling.{}", 3 * i), mask_convolutions_.back().ptr());
    if (last) break;
    mask_norms_.emplace_back(widths[i + 1]);
    register_at(*this, std::format("mask_downscaling.{}", 3 * i + 1), mask_norms_.back().ptr());
  }
}

torch::Tensor SamPromptEncoderImpl::encoded(const torch::Tensor& pixels) {
  return pe_layer_((pixels + 0.5) / static_cast<double>(image_size_));
}

torch::Tensor SamPromptEncoderImpl::embedded_mask(const torch::Tensor& masks) {
  torch::Tensor h = mask_convolutions_[0](masks.to(no_mask_->weight.scalar_type()));
  for (std::size_t i = 0; i < mask_norms_.size(); ++i) {
    h = mask_convolutions_[i + 1](torch::gelu(mask_norms_[i](h)));
  }
  return h;
}

EmbeddedPrompts SamPromptEncoderImpl::forward(const MaskPrompts& prompts) {
  prompts.validate();
  const std::int64_t n = prompts.count();
  std::vector<torch::Tensor> sparse;
  if (prompts.points.defined()) {
    const torch::Tensor labels = prompts.labels.to(torch::kInt64);
    const torch::Tensor kinds =
        torch::cat({not_a_point_->weight, point_embeddings_[0]->weight, point_embeddings_[1]->weight});
    sparse.push_back(encoded(prompts.points) * labels.ge(0).unsqueeze(2) +
                     kinds.index_select(0, labels.flatten() + 1).view({n, labels.size(1), -1}));
    // Points without a box are followed by one that is none: so the network was trained.
    if (!prompts.boxes.defined()) sparse.push_back(not_a_point_->weight.expand({n, 1, -1}));
  }
  if (prompts.boxes.defined()) {
    const torch::Tensor corners = torch::cat({point_embeddings_[2]->weight, point_embeddings_[3]->weight});
    sparse.push_back(encoded(prompts.boxes.reshape({n, 2, 2})) + corners);
  }
  if (sparse.empty()) sparse.push_back(no_mask_->weight.new_empty({n, 0, no_mask_->weight.size(1)}));

  EmbeddedPrompts embedded{.sparse = torch::cat(sparse, 1)};
  if (!prompts.masks.defined()) {
    embedded.dense = no_mask_->weight.view({1, -1, 1, 1}).expand({1, -1, grid_, grid_});
    return embedded;
  }
  if (prompts.masks.size(2) != 4 * grid_ || prompts.masks.size(3) != 4 * grid_) {
    throw RequestError(std::format("prompts: masks have the form [N, 1, {0}, {0}]", 4 * grid_));
  }
  embedded.dense = embedded_mask(prompts.masks);
  return embedded;
}

}  // namespace terragen::models
