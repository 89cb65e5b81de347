// One image of a dataset under construction, with its mask.
#pragma once

#include <filesystem>
#include <optional>

#include "terragen/data/dataset.h"
#include "terragen/geo/raster.h"

namespace terragen::data {

// Writes the raster to `folder`/images as image.file_name and the mask, where there is one, to `folder`/masks beside
// it; both folders exist. The record takes on size and mask_name.
void write_labelled_image(const std::filesystem::path& folder, const geo::Raster& raster,
                          const std::optional<layout::DenseMask>& mask, ImageRecord& image);

}  // namespace terragen::data
