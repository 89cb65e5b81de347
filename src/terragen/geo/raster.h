// Images of any band count and number type, as stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "terragen/geo/georeference.h"

namespace terragen::geo {

enum class DataType { uint8, uint16, int16, float32 };

std::string_view data_type_name(DataType type);  // "uint8", ...
// DataError naming `place` for an unknown name.
DataType data_type_from_name(const std::string& name, const std::string& place);
std::size_t size_of(DataType type);  // bytes
// The range a type can hold; float32: 0..1.
std::pair<double, double> natural_range(DataType type);

struct Raster {
  int width = 0;   // pixels
  int height = 0;  // pixels
  int bands = 0;
  DataType type = DataType::uint8;
  std::vector<std::byte> samples;   // band after band, row by row
  std::vector<std::uint8_t> valid;  // width * height, 1 where every band is measured; empty: all valid
  std::optional<double> nodata;     // NaN is possible
  Georeference georeference;

  std::size_t pixels() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
  double at(int band, int x, int y) const;
  void set(int band, int x, int y, double value);  // rounded and clamped to the type
};

// Pixels that carry the nodata value, rounded to the type, or no finite number become invalid: in all bands of bytes,
// in any band of other types.
void mark_nodata(Raster& raster);
// The part of a raster that begins at pixel (x, y), with the georeference that it has there. Inside the raster, else
// InternalError.
Raster window_of(const Raster& raster, int x, int y, int width, int height);
// A raster of zeros.
Raster make_raster(int width, int height, int bands, DataType type);

}  // namespace terragen::geo
