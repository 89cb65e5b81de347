// The pictures that `terragen generate --prompt` reads, and the files it writes.
#pragma once

#include <string>

#include "terragen/geo/raster.h"
#include "terragen/pretrained/image_start.h"
#include "terragen/pretrained/prompt_painting.h"

namespace terragen::app {

// The first three bands of an 8-bit image as shares of their range, [3, height, width]. DataError where it is none, or
// not of that size.
torch::Tensor read_control_picture(const std::string& path, int width, int height);

// An image to begin at and, where `mask` is not empty, the hole in it: see ImageStart.
struct StartFiles {
  geo::Raster image;
  pretrained::ImageStart start;
};
// DataError naming the file that is not of 8 bits and three bands (the mask: one), or a mask of another size.
StartFiles read_start(const std::string& image, const std::string& mask);

// PNG, or GeoTIFF with the georeference of `source` where that has one. Pixels painted anew are valid there, around
// them those of `source` that are.
pretrained::PictureWriter picture_writer(const StartFiles& source);

}  // namespace terragen::app
