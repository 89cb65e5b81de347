// What a detector should say of every cell, and how far it is from that.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/models/detector.h"
#include "terragen/training/task.h"

namespace terragen::training {

// One image's objects.
struct DetectionTruth {
  torch::Tensor boxes;                          // [M, 5] centre x, y, width, height in pixels, angle in radians
  torch::Tensor classes;                        // [M] int64
  torch::Tensor crowds = torch::zeros({0, 5});  // likewise: regions of many, none of which is told apart
};

// Boxes of a layout's features: upright ones, or the smallest oriented ones.
DetectionTruth detection_truth(const layout::Layout& layout, bool oriented);

inline constexpr std::int64_t kBackground = -1;
inline constexpr std::int64_t kUnknown = -2;  // in a crowd and answering for no object: whatever is said is not wrong

// For every cell of every image, all levels one after the other.
struct DetectionTargets {
  torch::Tensor classes;     // [N, L] int64; kBackground, kUnknown
  torch::Tensor distances;   // [N, L, 4] pixels to left, top, right, bottom in the box's frame
  torch::Tensor angle;       // [N, L, 2] cos and sin of twice the angle
  torch::Tensor centreness;  // [N, L] in [0, 1]
};

// FCOS: a cell answers for the smallest box that it lies in, near whose centre it lies, and whose size its level is
// for. A box too small to hold any cell's centre is taken as wide and high as a cell.
DetectionTargets detection_targets(const std::vector<DetectionTruth>& truth, const torch::Tensor& centres,
                                   const torch::Tensor& strides);

// Focal loss of the classes, generalised IoU of the distances weighted by centreness, cross entropy of the centreness,
// and for oriented boxes 1 - cos of twice the angle between; all over the number of answering cells. Scalars: one a
// term.
torch::Tensor detection_loss(const models::DetectorOutput& output, const DetectionTargets& targets, Scalars& scalars);

}  // namespace terragen::training
