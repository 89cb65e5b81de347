// Images as networks see them, as rasters to be written.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "terragen/geo/raster.h"
#include "terragen/models/model_folder.h"

namespace terragen::synthesis {

// What a network's value in [-1, 1] stands for in a band.
inline double band_value(const models::BandRange& band, float value) {
  return band.low + (static_cast<double>(value) + 1.0) / 2.0 * (band.high - band.low);
}

// image: [B, H, W], float32; [-1, 1] of band b becomes [low, high] of bands[b], rounded and clamped to the type.
geo::Raster raster_from_image(const torch::Tensor& image, const std::vector<models::BandRange>& bands,
                              geo::DataType type, const geo::Georeference& georeference);

// A measured value must not be stored as `nodata`: the nearest other one, towards the middle of the band.
double beside_nodata(double nodata, const models::BandRange& band, geo::DataType type);

// ".png" where that loses nothing (8 bits, 1, 3 or 4 bands, no place on Earth), else ".tif".
std::string image_extension(const geo::Raster& raster);

}  // namespace terragen::synthesis
