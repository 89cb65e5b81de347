// EfficientSAM (Xiong et al. 2023, arXiv 2312.00863): a small Segment Anything, with the parameter names of its
// published weights. It knows points and boxes; the image is stretched to a square.
#pragma once

#include <torch/torch.h>

#include <array>
#include <optional>

#include "terragen/models/promptable_segmenter.h"
#include "terragen/models/sam_image_encoder.h"

namespace terragen::models {

// Of the variant Ti.
struct EfficientSamConfig {
  SamImageEncoderConfig encoder = {.family = SamFamily::efficient_sam,
                                   .width = 192,
                                   .heads = 3,
                                   .window_size = 0,
                                   .global_blocks = {},
                                   .relative_positions = false};
  SamMaskDecoderConfig decoder = {.transformer = {.family = SamFamily::efficient_sam}};
  std::int64_t most_points = 6;                              // of one prompt, a box counting for two
  std::array<double, 3> pixel_mean = {0.485, 0.456, 0.406};  // of colours from 0 to 1
  std::array<double, 3> pixel_std = {0.229, 0.224, 0.225};

  // RequestError naming what cannot be.
  void validate() const;
};

EfficientSamConfig efficient_sam_ti();
EfficientSamConfig efficient_sam_s();

// pe_layer, invalid_points, point_embeddings, bbox_top_left_embeddings, bbox_bottom_right_embeddings.
class EfficientSamPromptEncoderImpl : public torch::nn::Module {
 public:
  EfficientSamPromptEncoderImpl(std::int64_t channels, std::int64_t grid, std::int64_t image_size);
  // points: [N, K, 2] in pixels of the network's input; labels: [N, K], -1 to 3. The result is [N, K, C].
  torch::Tensor forward(const torch::Tensor& points, const torch::Tensor& labels);
  torch::Tensor places() { return pe_layer_->grid(grid_); }

 private:
  std::int64_t grid_, image_size_;
  RandomFourierEncoding pe_layer_{nullptr};
  torch::nn::Embedding invalid_points_{nullptr}, points_{nullptr}, top_left_{nullptr}, bottom_right_{nullptr};
};
TORCH_MODULE(EfficientSamPromptEncoder);

// image_encoder, prompt_encoder, mask_decoder.
class EfficientSamImpl : public PromptableSegmenter {
 public:
  // RequestError where the configuration cannot be.
  explicit EfficientSamImpl(const EfficientSamConfig& config);

  EncodedImage encode(const torch::Tensor& image) override;
  // RequestError for masks, for points beside the object, and for more points than a prompt may have.
  MaskPrediction predict(const EncodedImage& image, const MaskPrompts& prompts, bool multimask) override;
  torch::Tensor full_size(const EncodedImage& image, const torch::Tensor& low_res) override;

  // images: [N, 3, H, W], 0 to 1, any size: stretched and normalised to [N, 3, S, S].
  torch::Tensor preprocess(const torch::Tensor& images) const;
  // preprocess() and the encoder: [N, C, h, w].
  torch::Tensor embed(const torch::Tensor& images) { return image_encoder_(preprocess(images)); }
  // points: [N, Q, K, 2] in pixels of an image of this size, in those of the network's input; negative ones are -1.
  torch::Tensor rescaled(const torch::Tensor& points, const ImageSize& size) const;
  // Q prompts for each of N images. points as above; labels: [N, Q, K], 1 a point in the object, 2 a box's upper left
  // corner, 3 its lower right one, -1 none, 0 a place that says nothing. low_res: [N Q, M, 4 h, 4 w]. RequestError for
  // other labels, other forms and too many points.
  MaskPrediction predict_points(const torch::Tensor& embedding, const torch::Tensor& points,
                                const torch::Tensor& labels, const ImageSize& size, bool multimask);

  EfficientSamPromptEncoder& prompt_encoder() { return prompt_encoder_; }

 private:
  EfficientSamConfig config_;
  SamImageEncoder image_encoder_{nullptr};
  EfficientSamPromptEncoder prompt_encoder_{nullptr};
  SamMaskDecoder mask_decoder_{nullptr};
};
TORCH_MODULE(EfficientSam);

}  // namespace terragen::models
