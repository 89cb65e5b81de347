// Layouts as tensors: everything the layout encoder reads that needs no learned weight.
#pragma once

#include <torch/torch.h>

#include <span>
#include <string>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::models {

// The kind of a token that stands for a whole class of a dense mask and has no geometry of its own.
inline constexpr int kNoGeometryKind = layout::kGeometryKinds;
inline constexpr int kTokenKinds = layout::kGeometryKinds + 1;
inline constexpr int kTokenVertices = 16;

struct LayoutTensorOptions {
  int classes = 0;
  std::vector<std::string> tasks;  // known tasks; the index is the task's number
  int raster_cell = 2;             // pixels a cell of the class planes
  int latent_cell = 8;             // pixels a cell of the latent
  int max_features = 48;           // tokens a layout; the largest features speak, all are drawn
  double weight_exponent = 0.25;   // alpha of the mask-weighted loss
};

// N layouts of one size H x W (pixels). h = H / latent_cell, Hr = H / raster_cell, M = most tokens in the batch.
struct LayoutTensors {
  torch::Tensor coverage;        // [N, K, Hr, Wr] in [0, 1]
  torch::Tensor edge_distance;   // [N, 1, Hr, Wr] in [-1, 1], of 32 pixels
  torch::Tensor token_class;     // [N, M] int64
  torch::Tensor token_kind;      // [N, M] int64, kNoGeometryKind for a class of a dense mask
  torch::Tensor token_box;       // [N, M, 8] corners of the smallest oriented box, of the image's size
  torch::Tensor token_vertices;  // [N, M, 32] resampled vertices, of the image's size
  torch::Tensor token_area;      // [N, M] log10 of the area in square metres; of square pixels where GSD is unknown
  torch::Tensor token_mask;      // [N, M] bool, true where there is a token
  torch::Tensor token_distance;  // [N, M, h, w] max(0, signed distance) to the feature, of the image's size
  torch::Tensor task;            // [N] int64, tasks.size() where unknown
  torch::Tensor gsd;             // [N, 2]: log10 of metres a pixel and 1, or 0 and 0 where unknown
  // [N, 1, h, w]: max_i [p in G_i] * clamp((median area / area_i)^alpha, 1, 8): the object part of the
  // mask-weighted loss, before lambda.
  torch::Tensor object_weight;

  // Copies on `device`.
  LayoutTensors to(const torch::Device& device) const;
};

// All layouts must have one size divisible by latent_cell, class indexes below `classes`: InternalError otherwise
// (callers check user input first). An unknown task gets the null task.
LayoutTensors layout_tensors(std::span<const layout::Layout> layouts, const LayoutTensorOptions& options);

}  // namespace terragen::models
