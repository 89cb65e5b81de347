// From an image's features and embedded prompts to masks: every output token becomes the weights of a 1 x 1 convolution
// over the upscaled features, and one token tells how good the masks are (Kirillov et al. 2023, arXiv 2304.02643).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/sam_two_way_transformer.h"

namespace terragen::models {

struct SamMaskDecoderConfig {
  TwoWayTransformerConfig transformer;
  std::int64_t multimask_outputs = 3;                     // masks that answer an ambiguous prompt
  std::vector<std::int64_t> upscaling_widths = {64, 32};  // channels, every one at twice the size before
  std::int64_t iou_head_layers = 3;
  std::int64_t iou_head_width = 256;

  // RequestError naming what cannot be.
  void validate() const;
};

// low_res: logits [N, M, 4 h, 4 w]; iou: how well the network thinks they fit, [N, M]. float32.
struct MaskPrediction {
  torch::Tensor low_res, iou;
};

// transformer, iou_token, mask_tokens, output_upscaling or final_output_upscaling_layers, output_hypernetworks_mlps,
// iou_prediction_head.
class SamMaskDecoderImpl : public torch::nn::Module {
 public:
  // The configuration is valid.
  explicit SamMaskDecoderImpl(const SamMaskDecoderConfig& config);
  // image: [I, C, h, w]; places: [1, C, h, w]; sparse: [N, L, C], the prompts of one image after those of the other,
  // as many for each; dense: [N or 1, C, h, w], added to the features, or undefined.
  // multimask: the masks for ambiguous prompts, otherwise the one for prompts that are not.
  MaskPrediction forward(const torch::Tensor& image, const torch::Tensor& places, const torch::Tensor& sparse,
                         const torch::Tensor& dense, bool multimask);

 private:
  torch::Tensor upscaled(torch::Tensor h);

  TwoWayTransformer transformer_{nullptr};
  torch::nn::Embedding iou_token_{nullptr}, mask_tokens_{nullptr};
  std::vector<torch::nn::ConvTranspose2d> upscaling_;
  std::vector<torch::nn::AnyModule> upscaling_norms_;  // one fewer
  torch::nn::ModuleList hypernetworks_{nullptr};
  Perceptron iou_head_{nullptr};
};
TORCH_MODULE(SamMaskDecoder);

}  // namespace terragen::models
