#include "terragen/models/segment_anything.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/nn/resample.h"

namespace terragen::models {

void SamConfig::validate() const {
  encoder.validate();
  decoder.validate();
  if (encoder.family != SamFamily::segment_anything || decoder.transformer.family != encoder.family) {
    throw RequestError("Segment Anything: encoder and decoder are of another family");
  }
  if (encoder.out_channels != decoder.transformer.channels) {
    throw RequestError(std::format("Segment Anything: the encoder gives {} channels, the decoder takes {}",
                                   encoder.out_channels, decoder.transformer.channels));
  }
  if (mask_channels < 4 || mask_channels % 4 != 0)
    throw RequestError("Segment Anything: mask_channels is no multiple of 4");
}

SamConfig sam_vit_b() { return {}; }

SamConfig sam_vit_l() {
  return {.encoder = {.width = 1024, .depth = 24, .heads = 16, .global_blocks = {5, 11, 17, 23}}};
}

SamConfig sam_vit_h() {
  return {.encoder = {.width = 1280, .depth = 32, .heads = 16, .global_blocks = {7, 15, 23, 31}}};
}

SegmentAnythingImpl::SegmentAnythingImpl(const SamConfig& config) : config_(config) {
  config.validate();
  image_encoder_ = register_module("image_encoder", SamImageEncoder(config.encoder));
  prompt_encoder_ =
      register_module("prompt_encoder", SamPromptEncoder(config.encoder.out_channels, config.encoder.grid(),
                                                         config.encoder.image_size, config.mask_channels));
  mask_decoder_ = register_module("mask_decoder", SamMaskDecoder(config.decoder));
}

torch::Tensor SegmentAnythingImpl::preprocess(const torch::Tensor& images) const {
  const std::int64_t side = config_.encoder.image_size;
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) > side || images.size(3) > side) {
    throw RequestError(std::format("Segment Anything reads images of 3 bands and at most {0} x {0} pixels", side));
  }
  return torch::constant_pad_nd(normalised(images.to(torch::kFloat32), config_.pixel_mean, config_.pixel_std),
                                {0, side - images.size(3), 0, side - images.size(2)});
}

EncodedImage SegmentAnythingImpl::encode(const torch::Tensor& image) {
  const torch::NoGradGuard no_grad;
  check_image(image);
  const torch::Tensor bytes = resize_longest_side(image.cpu(), config_.encoder.image_size);
  return {.embedding = image_encoder_(preprocess(bytes.permute({2, 0, 1}).unsqueeze(0).to(device()))),
          .size = {image.size(0), image.size(1)},
          .input = {bytes.size(0), bytes.size(1)}};
}

MaskPrediction SegmentAnythingImpl::predict(const EncodedImage& image, const MaskPrompts& prompts, bool multimask) {
  const torch::NoGradGuard no_grad;
  prompts.validate();
  MaskPrompts moved = prompts;
  if (prompts.points.defined()) {
    moved.points = move_points(prompts.points, image.size, image.input).to(device());
    moved.labels = prompts.labels.to(device());
  }
  if (prompts.boxes.defined()) {
    const torch::Tensor corners = prompts.boxes.reshape({-1, 2, 2});
    moved.boxes = move_points(corners, image.size, image.input).view({-1, 4}).to(device());
  }
  if (prompts.masks.defined()) moved.masks = prompts.masks.to(device());
  return predict_in_input(image.embedding, moved, multimask);
}

MaskPrediction SegmentAnythingImpl::predict_in_input(const torch::Tensor& embedding, const MaskPrompts& prompts,
                                                     bool multimask) {
  const EmbeddedPrompts embedded = prompt_encoder_(prompts);
  return mask_decoder_(embedding, prompt_encoder_->places(), embedded.sparse, embedded.dense, multimask);
}

torch::Tensor SegmentAnythingImpl::full_size(const EncodedImage& image, const torch::Tensor& low_res) {
  const torch::NoGradGuard no_grad;
  const std::int64_t side = config_.encoder.image_size;
  const torch::Tensor input = nn::resize_images(low_res, side, side);
  return nn::resize_images(input.slice(2, 0, image.input.height).slice(3, 0, image.input.width), image.size.height,
                           image.size.width);
}

}  // namespace terragen::models
