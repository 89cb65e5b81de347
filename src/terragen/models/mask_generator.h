// Everything in an image: a promptable segmenter is asked about a grid of points, and good masks that do not repeat
// each other are kept (Kirillov et al. 2023, arXiv 2304.02643, appendix B).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/metrics/box_overlap.h"
#include "terragen/models/mask_ops.h"
#include "terragen/models/promptable_segmenter.h"

namespace terragen::models {

struct MaskGeneratorConfig {
  std::int64_t points_per_side = 32;
  std::int64_t points_per_batch = 64;
  double least_iou = 0.88;        // as the network thinks; 0 or less: whatever it thinks
  double least_stability = 0.95;  // 0 or less: however unstable
  double stability_offset = 1.0;  // of the threshold, in logits
  double most_overlap = 0.7;      // IoU of boxes; of two masks that overlap more, the better one stays
  // Further layers of parts of the image that are looked at by themselves, see crop_windows().
  std::int64_t crop_layers = 0;
  double crop_overlap = 512.0 / 1500.0;
  double crop_most_overlap = 0.7;        // between parts, where the mask of the smaller one stays
  std::int64_t crop_points_divisor = 1;  // by so much fewer points a side from layer to layer

  // RequestError naming what cannot be.
  void validate() const;
};

struct GeneratedMask {
  metrics::RunLengths runs;  // of the image's size
  std::uint64_t area = 0;    // pixels
  metrics::Box box;          // the last pixel inside
  double iou = 0;            // as the network thinks
  double stability = 0;
  double point_x = 0, point_y = 0;  // what was asked about, pixels
  ImageWindow crop;                 // the part that was looked at
};

// image: [H, W, 3] uint8, as encode() wants it. Layer after layer, in every part by falling `iou`.
std::vector<GeneratedMask> generate_masks(PromptableSegmenter& segmenter, const torch::Tensor& image,
                                          const MaskGeneratorConfig& config = {});

}  // namespace terragen::models
