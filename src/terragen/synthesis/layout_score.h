// How much of a layout a trained segmenter or detector finds in an image: what painted images are filtered by.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/layout/layout.h"
#include "terragen/models/perception_inference.h"

namespace terragen::synthesis {

// image: [B, H, W], float32 in [-1, 1]; the layout's classes are numbered as the judge's. In [0, 1]:
//   segmenter: mean over the layout's classes of the intersection over union of what is drawn and what is found; of a
//              layout without any, 1 - the share of pixels that are taken for one
//   detector:  2 TP / (2 TP + FP + FN) of objects found with a score of 0.3 or more at an overlap of 0.5; 1 where there
//              is nothing and nothing is found
double layout_score(const models::PerceptionInference& judge, const torch::Tensor& image, const layout::Layout& layout);

// Which scores are the lowest `share` of all, in [0, 1), rounded down; of equal ones the first. A weak judge gives many
// the same.
std::vector<std::size_t> lowest_share(const std::vector<double>& scores, double share);

// The score below which `share` of all lie, in [0, 1); `scores` must not be empty.
double rejection_threshold(std::vector<double> scores, double share);

}  // namespace terragen::synthesis
