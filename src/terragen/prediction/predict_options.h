// What is asked of a prediction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "terragen/models/perception_model.h"
#include "terragen/prediction/tile_options.h"

namespace terragen::prediction {

struct PredictOptions {
  TileOptions tiles;
  std::vector<int> bands;  // 0-based numbers in the files, in the model's order; empty: all
  // Of segmenters.
  std::string probabilities;  // "uint8", "float32" or empty: none
  bool polygons = false;
  int least_pixels = 1;  // regions below are left out of the polygons, not of the mask
  // Of detectors.
  std::optional<double> least_score;  // 0 to 1; default 0.3

  // RequestError naming a value that cannot be, or that is of no use to such a model.
  void validate(const models::PerceptionConfig& config) const;
};

}  // namespace terragen::prediction
