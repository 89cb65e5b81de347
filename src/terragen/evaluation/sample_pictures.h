// Pictures of what datasets hold: images over their labels.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "terragen/core/canvas.h"

namespace terragen::evaluation {

// Images side by side, row by row: rows of [n, B, H, W] in [-1, 1], all of one size; the first three bands, of fewer
// the first as grey.
Canvas image_rows(const std::vector<torch::Tensor>& rows);

// One picture and caption a dataset found in `folder` whose name begins with `prefix` (in the order of their names):
// `count` images spread over it, and below each its label in the classes' colours. A folder that does not exist gives
// none.
std::vector<std::pair<Canvas, std::string>> sample_pictures(const std::filesystem::path& folder, int count,
                                                            const std::string& prefix = {});

}  // namespace terragen::evaluation
