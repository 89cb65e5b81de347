// Images as networks see them, as rasters to be written.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "terragen/geo/raster.h"
#include "terragen/models/model_folder.h"

namespace terragen::synthesis {

// image: [B, H, W], float32; [-1, 1] of band b becomes [low, high] of bands[b], rounded and clamped to the type.
geo::Raster raster_from_image(const torch::Tensor& image, const std::vector<models::BandRange>& bands,
                              geo::DataType type, const geo::Georeference& georeference);

// ".png" where that loses nothing (8 bits, 1, 3 or 4 bands, no place on Earth), else ".tif".
std::string image_extension(const geo::Raster& raster);

}  // namespace terragen::synthesis
