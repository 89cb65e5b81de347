// Segment Anything (Kirillov et al. 2023, arXiv 2304.02643), with the parameter names of its published weights.
#pragma once

#include <torch/torch.h>

#include <array>

#include "terragen/models/promptable_segmenter.h"
#include "terragen/models/sam_image_encoder.h"

namespace terragen::models {

// Of ViT-B.
struct SamConfig {
  SamImageEncoderConfig encoder;
  SamMaskDecoderConfig decoder;
  std::int64_t mask_channels = 16;                               // within the encoder of mask prompts
  std::array<double, 3> pixel_mean = {123.675, 116.28, 103.53};  // of bytes
  std::array<double, 3> pixel_std = {58.395, 57.12, 57.375};

  // RequestError naming what cannot be.
  void validate() const;
};

SamConfig sam_vit_b();
SamConfig sam_vit_l();
SamConfig sam_vit_h();

// image_encoder, prompt_encoder, mask_decoder.
class SegmentAnythingImpl : public PromptableSegmenter {
 public:
  // RequestError where the configuration cannot be.
  explicit SegmentAnythingImpl(const SamConfig& config);

  EncodedImage encode(const torch::Tensor& image) override;
  MaskPrediction predict(const EncodedImage& image, const MaskPrompts& prompts, bool multimask) override;
  torch::Tensor full_size(const EncodedImage& image, const torch::Tensor& low_res) override;

  // images: [N, 3, h, w], 0 to 255, no larger than the network's input S: normalised, and zeros at the right and below
  // to [N, 3, S, S], float32.
  torch::Tensor preprocess(const torch::Tensor& images) const;
  // As predict(), with prompts in pixels of the network's input and on its device.
  MaskPrediction predict_in_input(const torch::Tensor& embedding, const MaskPrompts& prompts, bool multimask);

  SamImageEncoder& image_encoder() { return image_encoder_; }
  SamPromptEncoder& prompt_encoder() { return prompt_encoder_; }

 private:
  SamConfig config_;
  SamImageEncoder image_encoder_{nullptr};
  SamPromptEncoder prompt_encoder_{nullptr};
  SamMaskDecoder mask_decoder_{nullptr};
};
TORCH_MODULE(SegmentAnything);

}  // namespace terragen::models
