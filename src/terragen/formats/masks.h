// Class masks as images: a colour or a number a class.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "terragen/geo/raster.h"
#include "terragen/layout/layout.h"

namespace terragen::formats {

// Colour (or number) to class; kUnlabelled for what is to be ignored.
using ColorClasses = std::map<std::array<std::uint8_t, 3>, std::uint8_t>;
using IndexClasses = std::map<int, std::uint8_t>;

// Counts of what no class claims, over any number of masks: told to the user in one message.
struct UnknownValues {
  std::map<std::string, std::int64_t> pixels;  // "#RRGGBB" or the number
  std::string first_file;
};

// The mask of an RGB raster. Pixels of unknown colour become kUnlabelled and are counted in `unknown`.
layout::DenseMask mask_from_colors(const geo::Raster& raster, const ColorClasses& classes, const std::string& file,
                                   UnknownValues& unknown);
// Likewise from the first band's numbers.
layout::DenseMask mask_from_indexes(const geo::Raster& raster, const IndexClasses& classes, const std::string& file,
                                    UnknownValues& unknown);
// DataError listing every unknown value with its count, when there is any.
void refuse_unknown(const UnknownValues& unknown);

// Single-band uint8 raster of class numbers: how masks are stored in a dataset.
geo::Raster raster_from_mask(const layout::DenseMask& mask);
// DataError naming `file` when the raster is not single-band uint8 or names a class that is not below `classes`.
layout::DenseMask mask_from_raster(const geo::Raster& raster, int classes, const std::string& file);

}  // namespace terragen::formats
