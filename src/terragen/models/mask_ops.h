// Arithmetic on masks that a promptable segmenter predicts, and on the parts of an image that it is asked about
// (Kirillov et al. 2023, arXiv 2304.02643, appendix B).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/longest_side.h"

namespace terragen::models {

// Overlap (IoU) of the masks that a threshold a little higher and a little lower gives. logits: [..., H, W]; the result
// is [...], float32, not a number where both masks are empty.
torch::Tensor stability_score(const torch::Tensor& logits, double threshold, double offset);

// side x side points in the middles of equal cells: [side^2, 2], x and y from 0 to 1, row by row, float64.
torch::Tensor point_grid(std::int64_t side);

// Pixels x0 <= x < x1, y0 <= y < y1.
struct ImageWindow {
  std::int64_t x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  ImageSize size() const { return {y1 - y0, x1 - x0}; }
  bool operator==(const ImageWindow&) const = default;
};

struct CropWindow {
  ImageWindow window;
  std::int64_t layer = 0;
};

// The whole image (layer 0), then for every layer 4^layer overlapping parts of it, column by column. overlap: the share
// of the image's shorter side by which the parts of the first layer overlap; it is halved from layer to layer.
std::vector<CropWindow> crop_windows(const ImageSize& image, std::int64_t layers, double overlap);

// Which boxes touch an edge of their part of the image that is no edge of the image: objects that are cut off.
// boxes: [N, 4], x0, y0, x1, y1 in pixels of the part; near: pixels. The result is [N], bool.
torch::Tensor near_crop_edge(const torch::Tensor& boxes, const ImageWindow& crop, const ImageSize& image,
                             double near = 20.0);

// Masks of a part, [..., h, w], as masks of the image, [..., H, W], false outside.
torch::Tensor uncrop_masks(const torch::Tensor& masks, const ImageWindow& crop, const ImageSize& image);

}  // namespace terragen::models
