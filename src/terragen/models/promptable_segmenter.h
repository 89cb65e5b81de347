// Networks that cut out of an image what a prompt points at. The image is encoded once; prompts are then cheap.
#pragma once

#include <torch/torch.h>

#include <array>

#include "terragen/models/longest_side.h"
#include "terragen/models/sam_mask_decoder.h"
#include "terragen/models/sam_prompt_encoder.h"

namespace terragen::models {

inline constexpr double kMaskThreshold = 0.0;  // of logits: above, a pixel belongs to the mask

struct EncodedImage {
  torch::Tensor embedding;  // [1, C, h, w]
  ImageSize size;           // of the image as it came
  ImageSize input;          // in the network's input, without padding
};

class PromptableSegmenter : public torch::nn::Module {
 public:
  // image: [H, W, 3] uint8, red, green, blue, on any device. Without gradients, as below. RequestError for any other
  // form.
  virtual EncodedImage encode(const torch::Tensor& image) = 0;
  // Prompts in pixels of the image as it came, on any device. RequestError where they are not valid, and for kinds of
  // prompts that the network does not know.
  // multimask: several masks a prompt, for prompts that may mean several things; otherwise one.
  virtual MaskPrediction predict(const EncodedImage& image, const MaskPrompts& prompts, bool multimask) = 0;
  // low_res: of a prediction, [N, M, h, w]; logits at the size of the image as it came: [N, M, H, W].
  virtual torch::Tensor full_size(const EncodedImage& image, const torch::Tensor& low_res) = 0;

 protected:
  // RequestError unless `image` has the form that encode() wants.
  static void check_image(const torch::Tensor& image);
  // images: [N, 3, H, W], each band less its mean and over its deviation.
  static torch::Tensor normalised(const torch::Tensor& images, const std::array<double, 3>& mean,
                                  const std::array<double, 3>& deviation);
  // Where the weights are.
  torch::Device device() const { return parameters().front().device(); }
};

}  // namespace terragen::models
