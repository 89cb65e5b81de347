#include "terragen/geo/raster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <format>
#include <limits>
#include <type_traits>

#include "terragen/core/error.h"

namespace terragen::geo {
namespace {

constexpr std::array<std::string_view, 4> kNames{"uint8", "uint16", "int16", "float32"};

template <class T>
double load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(value);
}

template <class T>
void store(std::byte* at, double value) {
  T stored;
  if constexpr (std::is_integral_v<T>) {
    const double low = std::numeric_limits<T>::min();
    const double high = std::numeric_limits<T>::max();
    stored = std::isnan(value) ? T{0} : static_cast<T>(std::clamp(std::nearbyint(value), low, high));
  } else {
    stored = static_cast<T>(value);
  }
  std::memcpy(at, &stored, sizeof(T));
}

}  // namespace

std::string_view data_type_name(DataType type) { return kNames.at(static_cast<std::size_t>(type)); }

DataType data_type_from_name(const std::string& name, const std::string& place) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) throw DataError(place, std::format("the number type \"{}\" is not offered", name));
  return static_cast<DataType>(found - kNames.begin());
}

std::size_t size_of(DataType type) {
  constexpr std::array<std::size_t, 4> kSizes{1, 2, 2, 4};
  return kSizes.at(static_cast<std::size_t>(type));
}

std::pair<double, double> natural_range(DataType type) {
  switch (type) {
    case DataType::uint8:
      return {0, 255};
    case DataType::uint16:
      return {0, 65535};
    case DataType::int16:
      return {-32768, 32767};
    case DataType::float32:
      return {0, 1};
  }
  throw InternalError("[natural_range] unknown type");
}

double Raster::at(int band, int x, int y) const {
  const std::size_t index = static_cast<std::size_t>(band) * pixels() +
                            static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
  const std::byte* place = samples.data() + index * size_of(type);
  switch (type) {
    case DataType::uint8:
      return load<std::uint8_t>(place);
    case DataType::uint16:
      return load<std::uint16_t>(place);
    case DataType::int16:
      return load<std::int16_t>(place);
    case DataType::float32:
      return load<float>(place);
  }
  throw InternalError("[Raster] unknown type");
}

void Raster::set(int band, int x, int y, double value) {
  const std::size_t index = static_cast<std::size_t>(band) * pixels() +
                            static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
  std::byte* place = samples.data() + index * size_of(type);
  switch (type) {
    case DataType::uint8:
      return store<std::uint8_t>(place, value);
    case DataType::uint16:
      return store<std::uint16_t>(place, value);
    case DataType::int16:
      return store<std::int16_t>(place, value);
    case DataType::float32:
      return store<float>(place, value);
  }
}

void mark_nodata(Raster& raster) {
  if (!raster.nodata && raster.type != DataType::float32) return;
  double nodata = raster.nodata.value_or(std::nan(""));
  // As it is stored: -1.8e308 of a float64 file is infinity here, and -9999.9 not quite that number.
  if (raster.type == DataType::float32 && std::abs(nodata) <= static_cast<double>(std::numeric_limits<float>::max())) {
    nodata = static_cast<double>(static_cast<float>(nodata));
  }
  // Of bytes 0 and 255 are colours too: red may be 0 where green is not.
  const int least = raster.type == DataType::uint8 ? raster.bands : 1;
  std::size_t i = 0;
  for (int y = 0; y < raster.height; ++y) {
    for (int x = 0; x < raster.width; ++x, ++i) {
      int unmeasured = 0;
      for (int b = 0; b < raster.bands; ++b) {
        const double value = raster.at(b, x, y);
        if (!std::isfinite(value) || value == nodata) ++unmeasured;
      }
      if (unmeasured < least) continue;
      if (raster.valid.empty()) raster.valid.assign(raster.pixels(), 1);
      raster.valid[i] = 0;
    }
  }
}

Raster window_of(const Raster& raster, int x, int y, int width, int height) {
  if (x < 0 || y < 0 || x + width > raster.width || y + height > raster.height) {
    throw InternalError("[window_of] the window leaves the raster");
  }
  Raster part = make_raster(width, height, raster.bands, raster.type);
  part.nodata = raster.nodata;
  part.georeference = window_of(raster.georeference, x, y);
  const auto row_of = [&](int row) {
    return static_cast<std::size_t>(y + row) * static_cast<std::size_t>(raster.width) + static_cast<std::size_t>(x);
  };
  const std::size_t bytes = static_cast<std::size_t>(width) * size_of(raster.type);
  for (int b = 0; b < raster.bands; ++b) {
    for (int row = 0; row < height; ++row) {
      const std::size_t from = static_cast<std::size_t>(b) * raster.pixels() + row_of(row);
      const std::size_t to =
          static_cast<std::size_t>(b) * part.pixels() + static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
      std::memcpy(part.samples.data() + to * size_of(raster.type), raster.samples.data() + from * size_of(raster.type),
                  bytes);
    }
  }
  if (raster.valid.empty()) return part;
  for (int row = 0; row < height; ++row) {
    const auto first = raster.valid.begin() + static_cast<std::ptrdiff_t>(row_of(row));
    part.valid.insert(part.valid.end(), first, first + width);
  }
  if (std::ranges::find(part.valid, 0) == part.valid.end()) part.valid.clear();
  return part;
}

Raster make_raster(int width, int height, int bands, DataType type) {
  Raster raster{.width = width, .height = height, .bands = bands, .type = type};
  raster.samples.assign(raster.pixels() * static_cast<std::size_t>(bands) * size_of(type), std::byte{0});
  return raster;
}

}  // namespace terragen::geo
