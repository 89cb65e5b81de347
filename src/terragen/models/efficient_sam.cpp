#include "terragen/models/efficient_sam.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/resample.h"

namespace terragen::models {

namespace tn = torch::nn;

void EfficientSamConfig::validate() const {
  encoder.validate();
  decoder.validate();
  if (encoder.family != SamFamily::efficient_sam || decoder.transformer.family != encoder.family) {
    throw RequestError("EfficientSAM: encoder and decoder are of another family");
  }
  if (encoder.out_channels != decoder.transformer.channels) {
    throw RequestError(std::format("EfficientSAM: the encoder gives {} channels, the decoder takes {}",
                                   encoder.out_channels, decoder.transformer.channels));
  }
  if (most_points < 1) throw RequestError("EfficientSAM: a prompt needs room for a point");
}

EfficientSamConfig efficient_sam_ti() { return {}; }

EfficientSamConfig efficient_sam_s() {
  EfficientSamConfig config;
  config.encoder.width = 384;
  config.encoder.heads = 6;
  return config;
}

EfficientSamPromptEncoderImpl::EfficientSamPromptEncoderImpl(std::int64_t channels, std::int64_t grid,
                                                             std::int64_t image_size)
    : grid_(grid), image_size_(image_size) {
  pe_layer_ = register_module("pe_layer", RandomFourierEncoding(channels));
  invalid_points_ = register_module("invalid_points", tn::Embedding(1, channels));
  points_ = register_module("point_embeddings", tn::Embedding(1, channels));
  top_left_ = register_module("bbox_top_left_embeddings", tn::Embedding(1, channels));
  bottom_right_ = register_module("bbox_bottom_right_embeddings", tn::Embedding(1, channels));
}

torch::Tensor EfficientSamPromptEncoderImpl::forward(const torch::Tensor& points, const torch::Tensor& labels) {
  const torch::Tensor kinds = torch::cat({invalid_points_->weight, torch::zeros_like(points_->weight), points_->weight,
                                          top_left_->weight, bottom_right_->weight});
  // A point that is none has a place too, unlike Segment Anything's.
  return pe_layer_((points + 0.5) / static_cast<double>(image_size_)) +
         kinds.index_select(0, labels.flatten().to(torch::kInt64) + 1).view({labels.size(0), labels.size(1), -1});
}

EfficientSamImpl::EfficientSamImpl(const EfficientSamConfig& config) : config_(config) {
  config.validate();
  image_encoder_ = register_module("image_encoder", SamImageEncoder(config.encoder));
  prompt_encoder_ = register_module(
      "prompt_encoder",
      EfficientSamPromptEncoder(config.encoder.out_channels, config.encoder.grid(), config.encoder.image_size));
  mask_decoder_ = register_module("mask_decoder", SamMaskDecoder(config.decoder));
}

torch::Tensor EfficientSamImpl::preprocess(const torch::Tensor& images) const {
  if (images.dim() != 4 || images.size(1) != 3 || images.numel() == 0 || !images.is_floating_point()) {
    throw RequestError("EfficientSAM reads images of 3 bands from 0 to 1");
  }
  const std::int64_t side = config_.encoder.image_size;
  const torch::Tensor square =
      images.size(2) == side && images.size(3) == side ? images : nn::resize_images(images, side, side);
  return normalised(square, config_.pixel_mean, config_.pixel_std);
}

EncodedImage EfficientSamImpl::encode(const torch::Tensor& image) {
  const torch::NoGradGuard no_grad;
  check_image(image);
  const torch::Tensor colours = image.to(device()).permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32) / 255.0;
  const std::int64_t side = config_.encoder.image_size;
  return {.embedding = embed(colours), .size = {image.size(0), image.size(1)}, .input = {side, side}};
}

torch::Tensor EfficientSamImpl::rescaled(const torch::Tensor& points, const ImageSize& size) const {
  const auto side = static_cast<double>(config_.encoder.image_size);
  const auto moved = [&](std::int64_t axis, std::int64_t length) {
    const torch::Tensor at = points.select(-1, axis);
    return torch::where(at.ge(0), at * side / static_cast<double>(length), torch::full_like(at, -1.0));
  };
  return torch::stack({moved(0, size.width), moved(1, size.height)}, -1);
}

MaskPrediction EfficientSamImpl::predict_points(const torch::Tensor& embedding, const torch::Tensor& points,
                                                const torch::Tensor& labels, const ImageSize& size, bool multimask) {
  if (points.dim() != 4 || points.size(3) != 2 || points.size(0) != embedding.size(0) || points.size(1) == 0 ||
      !points.is_floating_point() || labels.sizes() != points.sizes().slice(0, 3)) {
    throw RequestError("EfficientSAM: points have the form [N, Q, K, 2], labels [N, Q, K]");
  }
  const std::int64_t prompts = points.size(0) * points.size(1), missing = config_.most_points - points.size(2);
  if (missing < 0) {
    throw RequestError(std::format("EfficientSAM: a prompt has {} points, it may have {}, a box counting for two",
                                   points.size(2), config_.most_points));
  }
  if (labels.numel() > 0 && (labels.lt(-1) | labels.gt(3)).any().item<bool>()) {
    throw RequestError("EfficientSAM: labels are from -1 to 3");
  }
  // The network was trained with prompts filled up with points that are none.
  const torch::Tensor filled = torch::constant_pad_nd(rescaled(points, size), {0, 0, 0, missing}, -1.0);
  const torch::Tensor filled_labels = torch::constant_pad_nd(labels.to(torch::kInt64), {0, missing}, -1);
  const torch::Tensor sparse = prompt_encoder_(filled.reshape({prompts, -1, 2}), filled_labels.reshape({prompts, -1}));
  return mask_decoder_(embedding, prompt_encoder_->places(), sparse, torch::Tensor(), multimask);
}

MaskPrediction EfficientSamImpl::predict(const EncodedImage& image, const MaskPrompts& prompts, bool multimask) {
  const torch::NoGradGuard no_grad;
  prompts.validate();
  if (prompts.masks.defined()) throw RequestError("EfficientSAM knows no masks as prompts", "give a box or points");
  if (prompts.labels.defined() && prompts.labels.eq(0).any().item<bool>()) {
    throw RequestError("EfficientSAM knows no points beside the object", "give points in it, or its box");
  }
  std::vector<torch::Tensor> points, labels;
  if (prompts.points.defined()) {
    points.push_back(prompts.points.to(device(), torch::kFloat32));
    labels.push_back(prompts.labels.to(device(), torch::kInt64));
  }
  if (prompts.boxes.defined()) {
    points.push_back(prompts.boxes.reshape({-1, 2, 2}).to(device(), torch::kFloat32));
    labels.push_back(torch::tensor({2, 3}, torch::kInt64).to(device()).expand({prompts.count(), 2}));
  }
  return predict_points(image.embedding, torch::cat(points, 1).unsqueeze(0), torch::cat(labels, 1).unsqueeze(0),
                        image.size, multimask);
}

torch::Tensor EfficientSamImpl::full_size(const EncodedImage& image, const torch::Tensor& low_res) {
  const torch::NoGradGuard no_grad;
  return nn::resize_images(low_res, image.size.height, image.size.width, {.how = nn::Interpolation::bicubic});
}

}  // namespace terragen::models
