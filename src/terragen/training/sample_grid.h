// Pictures of tensors: rows of images beside each other as one PNG.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/canvas.h"
#include "terragen/layout/layout.h"

namespace terragen::training {

struct GridRow {
  std::string label;
  torch::Tensor images;  // [n, B, H, W], float32 in [-1, 1]; the first three bands are shown, fewer as grey
};

// All images must have one size.
void write_sample_grid(const std::filesystem::path& png, const std::vector<GridRow>& rows);

// Layouts as pictures in the classes' colours: [n, 3, H, W] in [-1, 1], ready to be a row beside the images.
torch::Tensor layout_pictures(const std::vector<layout::Layout>& layouts, const layout::Taxonomy& taxonomy);

}  // namespace terragen::training
