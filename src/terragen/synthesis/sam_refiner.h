// Outlines by Segment Anything or EfficientSAM, where their weights are at hand.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "terragen/models/promptable_segmenter.h"
#include "terragen/synthesis/mask_refiner.h"
#include "terragen/tensor/device.h"

namespace terragen::synthesis {

// Asks with a box and points together: the box of the intended mask, and points deep inside it, far from each other. Of
// the masks that the network offers the one it thinks fits best is taken.
class SamRefiner : public MaskRefiner {
 public:
  // weights: see models::load_promptable_segmenter. name: what name() says.
  SamRefiner(const std::filesystem::path& weights, std::string name, tensor::ComputeOptions compute);
  std::string name() const override { return name_; }
  std::string hash() const override { return hash_; }
  // Of images with fewer than three bands the first serves for all.
  torch::Tensor refine(const torch::Tensor& image, const torch::Tensor& intended) override;

 private:
  std::shared_ptr<models::PromptableSegmenter> network_;
  std::string name_, hash_;
  tensor::ComputeOptions compute_;
};

// Up to `count` pixels of the mask, [K, 2] x and y: the deepest, then such as are deep and far from those before. The
// mask must not be empty. For tests and for other prompts.
torch::Tensor deep_points(const torch::Tensor& mask, int count);

}  // namespace terragen::synthesis
