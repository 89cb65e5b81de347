// The files that a prediction leaves: which they are, and how probabilities become pixels.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/geo/raster_io.h"
#include "terragen/models/perception_model.h"

namespace terragen::prediction {

// Probabilities as bytes: 250 is 1, so that 255 is left for what was not measured.
inline constexpr double kCertain = 250;

// {"classes": [{"number", "name", "color"}, ...], "nodata": 255}: the numbers of the masks, the background last.
Json class_numbers(const models::PerceptionConfig& config);

// The likeliest class of every pixel, one uint8 band; layout::kUnlabelled where not `valid`.
// probabilities: [K, rows, width] float32; valid: [rows, width] bool.
geo::Raster class_rows(const torch::Tensor& probabilities, const torch::Tensor& valid);
// K bands of `type`: uint8 (kCertain is 1, 255 not valid) or float32 (NaN where not valid).
geo::Raster probability_rows(const torch::Tensor& probabilities, const torch::Tensor& valid, geo::DataType type);
// The value of the above where nothing was measured.
double probability_nodata(geo::DataType type);

}  // namespace terragen::prediction
