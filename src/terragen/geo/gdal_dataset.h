// GDAL's datasets as this module's reader and writers hold them. For this module only.
#pragma once

#include <cpl_string.h>
#include <gdal_priv.h>

#include <filesystem>
#include <memory>

#include "terragen/geo/raster.h"

namespace terragen::geo {

struct DatasetCloser {
  void operator()(GDALDataset* dataset) const { GDALClose(GDALDataset::ToHandle(dataset)); }
};
using DatasetHandle = std::unique_ptr<GDALDataset, DatasetCloser>;

GDALDataType gdal_type(DataType type);
// What is absent is left out.
void set_georeference(GDALDataset& dataset, const Georeference& georeference);
// How every GeoTIFF of ours is laid out: deflate, tiled where larger than 512 pixels.
CPLStringList tiff_options(int width, int height, DataType type);

// Where a file is written before it gets its name: beside it, hidden, with the same ending, which GDAL goes by.
std::filesystem::path staged_path(const std::filesystem::path& path);
// The staged file and what GDAL may have put beside it.
void remove_staged(const std::filesystem::path& staged);

}  // namespace terragen::geo
