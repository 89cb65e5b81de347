// An anchor-free detector of upright and of oriented boxes: FCOS (Tian et al. 2019, arXiv 1904.01355) on ResNet-18 with
// a feature pyramid (Lin et al. 2017, arXiv 1612.03144).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/models/resnet.h"

namespace terragen::models {

struct DetectorConfig {
  std::int64_t bands = 3;
  std::int64_t classes = 1;
  bool oriented = false;
  std::int64_t width = 96;                // channels of pyramid and heads
  std::int64_t head_layers = 2;           // convolutions before each head's last
  std::vector<int> strides = {4, 8, 16};  // pixels a cell, finest first; objects of a few pixels need the first
};

// What the network says of every cell, all levels one after the other, finest first, row by row.
struct DetectorOutput {
  torch::Tensor logits;      // [N, L, K]
  torch::Tensor distances;   // [N, L, 4] pixels from the cell's centre to left, top, right, bottom, all positive
  torch::Tensor angle;       // [N, L, 2] unnormalised cos and sin of twice the box's angle; undefined where upright
  torch::Tensor centreness;  // [N, L] logits
  torch::Tensor centres;     // [L, 2] x, y of the cells in pixels
  torch::Tensor strides;     // [L]
};

// backbone, lateral.*, smooth.*, class_tower.*, box_tower.*, class_head, box_head, centreness_head, angle_head.
class DetectorImpl : public torch::nn::Module {
 public:
  explicit DetectorImpl(DetectorConfig config);
  const DetectorConfig& config() const { return config_; }
  // x: [N, B, H, W] in [-1, 1], H and W multiples of 32.
  DetectorOutput forward(const torch::Tensor& x);

 private:
  std::vector<torch::Tensor> pyramid(const torch::Tensor& x);

  DetectorConfig config_;
  ResNet18 backbone_{nullptr};
  torch::nn::ModuleList lateral_{nullptr}, smooth_{nullptr};
  torch::nn::Sequential class_tower_{nullptr}, box_tower_{nullptr};
  torch::nn::Conv2d class_head_{nullptr}, box_head_{nullptr}, centreness_head_{nullptr}, angle_head_{nullptr};
};
TORCH_MODULE(Detector);

// Boxes from what was said of the cells, in the frame turned by `angle`: [..., 5] centre x, y, width, height, angle in
// radians (0 where `angle` is undefined). centres: [L, 2].
torch::Tensor boxes_from_distances(const torch::Tensor& distances, const torch::Tensor& angle,
                                   const torch::Tensor& centres);

}  // namespace terragen::models
