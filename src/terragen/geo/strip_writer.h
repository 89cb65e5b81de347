// GeoTIFFs that are too large to be held in memory as a whole.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "terragen/core/sha256.h"
#include "terragen/geo/raster_io.h"

namespace terragen::geo {

// Writes a GeoTIFF from its first row to its last, some rows at a time. Like write_raster it is atomic: written beside,
// closed, opened again and compared, renamed. Bands are plain numbers, never colours.
class StripWriter {
 public:
  // `path` ends in .tif or .tiff; `shape` says everything but the pixels. DataError when the file cannot be made.
  StripWriter(std::filesystem::path path, RasterInfo shape);
  // Without commit() nothing is left behind.
  ~StripWriter();
  StripWriter(const StripWriter&) = delete;
  StripWriter& operator=(const StripWriter&) = delete;
  // The rows below those that are there; of the shape's width, bands and type, else InternalError. Validity is the
  // nodata value's affair. DataError when the disk is full.
  void add(const Raster& rows);
  // InternalError when rows are missing; DataError when the disk is full.
  void commit();

 private:
  struct Impl;
  const std::filesystem::path path_;
  const RasterInfo shape_;
  std::unique_ptr<Impl> impl_;
  Sha256 written_;
  std::vector<int> heights_;  // of the strips so far
  int row_ = 0;
};

}  // namespace terragen::geo
