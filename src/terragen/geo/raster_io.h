// The one reader and the one writer of images.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "terragen/geo/raster.h"

namespace terragen::geo {

struct PixelWindow {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const PixelWindow&) const = default;
};

// What a file holds, without its pixels.
struct RasterInfo {
  int width = 0, height = 0, bands = 0;
  DataType type = DataType::uint8;
  std::optional<double> nodata;
  Georeference georeference;
};

// The content decides the format, not the name: GeoTIFF, PNG, JPEG, JPEG 2000 are read, nothing that could refer to
// other files. A palette becomes RGB, its nodata index pixels that are not valid; where a mask, or an alpha band that
// `bands` leaves out, is zero, pixels are not valid; 32-bit integers and float64 become float32. DataError naming the
// file for anything damaged.
RasterInfo read_raster_info(const std::filesystem::path& path);
// `bands`: 0-based numbers in the file, empty: all. `window`: empty: the whole image.
Raster read_raster(const std::filesystem::path& path, const std::vector<int>& bands = {},
                   const std::optional<PixelWindow>& window = std::nullopt);
// The same, but of a palette its indexes, one band.
Raster read_index_raster(const std::filesystem::path& path);

// GeoTIFF (name ends in .tif or .tiff; tiled, deflate) or PNG (.png; uint8 or uint16 of 1, 3 or 4 bands; anything else
// is an InternalError). Validity that no nodata value tells becomes the GeoTIFF's mask; a PNG has none. Atomic: written
// beside, closed, opened again and compared, renamed. DataError when the disk is full.
void write_raster(const std::filesystem::path& path, const Raster& raster);

// Windows of size x size that cover the image to its last row and column: the last ones move back inside, so that all
// have full size; an image smaller than `size` gives one window of its own extent. `overlap` in pixels, below `size`.
std::vector<PixelWindow> tile_grid(int width, int height, int size, int overlap);

}  // namespace terragen::geo
