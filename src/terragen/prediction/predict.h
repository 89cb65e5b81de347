// Segmenters and detectors applied to rasters of any size.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "terragen/models/perception_inference.h"
#include "terragen/prediction/predict_options.h"

namespace terragen::prediction {

// What became of one image.
struct PredictedImage {
  std::filesystem::path source;
  int width = 0;   // pixels
  int height = 0;  // pixels
  double seconds = 0;
  std::vector<std::filesystem::path> files;
  std::optional<std::size_t> shapes;  // objects, or polygons where asked for
};

// Writes into `output`, for every image NAME.*:
//   segmenters: NAME_classes.tif (uint8 numbers of classes.json, 255 nodata), NAME_probabilities.tif and
//               NAME_polygons.geojson where asked for, once classes.json
//   detectors:  NAME_objects.geojson
// Rasters carry the image's georeference and are written as they come: memory grows with the tile's height times the
// image's width (polygons alone take 6 bytes a pixel of the whole image). All images are looked at before the first is
// computed: RequestError when one has other bands or pixels than the model's, when two have the same name, or when a
// file to be written is there already. `done` is told after every image; an error or Interrupted leaves those before
// it.
void predict(const models::PerceptionInference& inference, const std::vector<std::filesystem::path>& images,
             const PredictOptions& options, const std::filesystem::path& output,
             const std::function<void(const PredictedImage&)>& done);

}  // namespace terragen::prediction
