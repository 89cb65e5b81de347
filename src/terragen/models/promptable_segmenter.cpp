#include "terragen/models/promptable_segmenter.h"

#include "terragen/core/error.h"

namespace terragen::models {

void PromptableSegmenter::check_image(const torch::Tensor& image) {
  if (!image.defined() || image.dim() != 3 || image.size(2) != 3 || image.scalar_type() != torch::kUInt8 ||
      image.numel() == 0) {
    throw RequestError("a segmenter of prompts reads images of bytes with the bands red, green and blue");
  }
}

torch::Tensor PromptableSegmenter::normalised(const torch::Tensor& images, const std::array<double, 3>& mean,
                                              const std::array<double, 3>& deviation) {
  const auto column = [&](const std::array<double, 3>& values) {
    return torch::tensor({values[0], values[1], values[2]}, torch::kFloat32).view({3, 1, 1}).to(images.device());
  };
  return (images - column(mean)) / column(deviation);
}

}  // namespace terragen::models
