// A dense dataset of one grey image for tests.
#pragma once

#include <filesystem>
#include <vector>

#include "terragen/data/labelled_image.h"

namespace terragen::data {

inline Dataset write_grey_dataset(const std::filesystem::path& folder, const std::vector<layout::ClassInfo>& classes,
                                  const geo::Raster& raster, const layout::DenseMask& mask, ImageRecord image) {
  for (const char* part : {"images", "masks"}) std::filesystem::create_directories(folder / part);
  Dataset dataset;
  dataset.name = "d";
  dataset.task = "segmentation";
  dataset.data_type = "uint8";
  dataset.dense = true;
  dataset.taxonomy = layout::Taxonomy(classes);
  dataset.bands = {{"grey", 0, 255}};
  write_labelled_image(folder, raster, mask, image);
  dataset.images.push_back(std::move(image));
  write_dataset(dataset, folder);
  return read_dataset(folder);
}

}  // namespace terragen::data
