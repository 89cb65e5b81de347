// What a segmenter or detector says of images as they come: of any size, one at a time.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/detections.h"
#include "terragen/models/perception_model.h"
#include "terragen/tensor/device.h"

namespace terragen::models {

// Sides that are no multiples of 32 are mirrored at the right and bottom, and the result is cut again.
class PerceptionInference {
 public:
  // Moves the network to the device and into evaluation mode. RequestError for a classifier, which says nothing of
  // single pixels or objects.
  PerceptionInference(PerceptionModel model, tensor::ComputeOptions compute);
  const PerceptionModel& model() const { return model_; }

  // Of segmenters. image: [B, H, W], float32 in [-1, 1]. Class probabilities: [K, H, W], float32 on the CPU.
  torch::Tensor class_probabilities(const torch::Tensor& image) const;
  // The likeliest class a pixel, [H, W] uint8.
  torch::Tensor classes(const torch::Tensor& image) const;
  // Of detectors.
  std::vector<Detection> detections(const torch::Tensor& image, const DetectionOptions& options) const;

 private:
  torch::Tensor logits(const torch::Tensor& image) const;
  torch::Tensor prepared(const torch::Tensor& image) const;

  PerceptionModel model_;
  tensor::ComputeOptions compute_;
  torch::Device device_;
};

}  // namespace terragen::models
