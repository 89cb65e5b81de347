#include "terragen/models/sam_mask_decoder.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/group_norm.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

constexpr std::int64_t kHypernetworkLayers = 3;

}  // namespace

void SamMaskDecoderConfig::validate() const {
  transformer.validate();
  if (multimask_outputs <= 0 || iou_head_layers <= 0 || iou_head_width <= 0 || upscaling_widths.empty() ||
      std::ranges::any_of(upscaling_widths, [](std::int64_t width) { return width <= 0; })) {
    throw RequestError("mask decoder: sizes must be positive");
  }
}

SamMaskDecoderImpl::SamMaskDecoderImpl(const SamMaskDecoderConfig& config) {
  const SamFamily family = config.transformer.family;
  const bool efficient = family == SamFamily::efficient_sam;
  const std::int64_t channels = config.transformer.channels;
  transformer_ = register_module("transformer", TwoWayTransformer(config.transformer));
  iou_token_ = register_module("iou_token", tn::Embedding(1, channels));
  // EfficientSAM has no token of its own for clear prompts where it has but one for unclear ones.
  const std::int64_t tokens = efficient && config.multimask_outputs == 1 ? 1 : config.multimask_outputs + 1;
  mask_tokens_ = register_module("mask_tokens", tn::Embedding(tokens, channels));

  std::int64_t in = channels;
  for (std::size_t i = 0; i < config.upscaling_widths.size(); ++i) {
    const std::int64_t out = config.upscaling_widths[i];
    upscaling_.emplace_back(tn::ConvTranspose2dOptions(in, out, 2).stride(2));
    // Segment Anything's parts are numbered through: convolution, norm, activation, convolution, activation.
    const std::string path = efficient ? std::format("final_output_upscaling_layers.{}.", i) : "output_upscaling.";
    const std::size_t number = efficient ? 0 : 3 * i;
    register_at(*this, path + std::to_string(number), upscaling_.back().ptr());
    in = out;
    if (i + 1 == config.upscaling_widths.size()) break;
    upscaling_norms_.push_back(efficient ? tn::AnyModule(nn::GroupNorm(1, out)) : tn::AnyModule(ChannelNorm(out)));
    register_at(*this, path + std::to_string(number + 1), upscaling_norms_.back().ptr());
  }

  hypernetworks_ = register_module("output_hypernetworks_mlps", tn::ModuleList());
  for (std::int64_t i = 0; i < tokens; ++i) {
    hypernetworks_->push_back(decoder_perceptron(family, channels, channels, in, kHypernetworkLayers));
  }
  iou_head_ = register_module("iou_prediction_head", decoder_perceptron(family, channels, config.iou_head_width, tokens,
                                                                        config.iou_head_layers));
}

torch::Tensor SamMaskDecoderImpl::upscaled(torch::Tensor h) {
  for (std::size_t i = 0; i < upscaling_.size(); ++i) {
    h = upscaling_[i](h);
    if (i < upscaling_norms_.size()) h = upscaling_norms_[i].forward(h);
    h = torch::gelu(h);
  }
  return h;
}

MaskPrediction SamMaskDecoderImpl::forward(const torch::Tensor& image, const torch::Tensor& places,
                                           const torch::Tensor& sparse, const torch::Tensor& dense, bool multimask) {
  const std::int64_t n = sparse.size(0), masks = mask_tokens_->weight.size(0);
  const torch::Tensor outputs = torch::cat({iou_token_->weight, mask_tokens_->weight}).unsqueeze(0).expand({n, -1, -1});
  const torch::Tensor tokens = torch::cat({outputs, sparse.to(outputs.scalar_type())}, 1);

  // One image's features are the same for all of its prompts: what is done with them alone is done once.
  torch::Tensor features = image.size(0) == 1 ? image : image.repeat_interleave(n / image.size(0), 0);
  if (dense.defined()) features = features + dense;
  const auto [spoken, cells] = transformer_->forward(features, places, tokens);
  const torch::Tensor map =
      upscaled(cells.transpose(1, 2).reshape({n, cells.size(2), features.size(2), features.size(3)}));

  const std::int64_t first = multimask && masks > 1 ? 1 : 0, end = first == 1 ? masks : 1;
  std::vector<torch::Tensor> weights;
  for (std::int64_t i = first; i < end; ++i) {
    weights.push_back(hypernetworks_[static_cast<std::size_t>(i)]->as<Perceptron>()->forward(spoken.select(1, 1 + i)));
  }
  const torch::Tensor logits = torch::matmul(torch::stack(weights, 1), map.flatten(2));
  return {.low_res = at_least_float32(logits.reshape({n, end - first, map.size(2), map.size(3)})),
          .iou = at_least_float32(iou_head_(spoken.select(1, 0)).slice(1, first, end))};
}

}  // namespace terragen::models
