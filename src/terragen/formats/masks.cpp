#include "terragen/formats/masks.h"

#include <algorithm>
#include <cstring>
#include <format>

#include "terragen/core/error.h"

namespace terragen::formats {
namespace {

layout::DenseMask empty_mask(const geo::Raster& raster) {
  return {raster.width, raster.height, std::vector<std::uint8_t>(raster.pixels(), layout::kUnlabelled)};
}

void count(UnknownValues& unknown, const std::string& value, const std::string& file) {
  if (unknown.pixels.empty()) unknown.first_file = file;
  ++unknown.pixels[value];
}

}  // namespace

layout::DenseMask mask_from_colors(const geo::Raster& raster, const ColorClasses& classes, const std::string& file,
                                   UnknownValues& unknown) {
  if (raster.type != geo::DataType::uint8 || (raster.bands != 3 && raster.bands != 4)) {
    throw DataError(file,
                    std::format("is no colour mask: {} bands of {}", raster.bands, geo::data_type_name(raster.type)));
  }
  layout::DenseMask mask = empty_mask(raster);
  const std::size_t n = raster.pixels();
  for (std::size_t i = 0; i < n; ++i) {
    const std::array<std::uint8_t, 3> color{std::to_integer<std::uint8_t>(raster.samples[i]),
                                            std::to_integer<std::uint8_t>(raster.samples[n + i]),
                                            std::to_integer<std::uint8_t>(raster.samples[2 * n + i])};
    const auto found = classes.find(color);
    if (found != classes.end()) {
      mask.values[i] = found->second;
    } else {
      count(unknown, layout::color_to_text(color), file);
    }
  }
  return mask;
}

layout::DenseMask mask_from_indexes(const geo::Raster& raster, const IndexClasses& classes, const std::string& file,
                                    UnknownValues& unknown) {
  layout::DenseMask mask = empty_mask(raster);
  for (int y = 0; y < raster.height; ++y) {
    for (int x = 0; x < raster.width; ++x) {
      const double value = raster.at(0, x, y);
      const auto found = value == static_cast<int>(value) ? classes.find(static_cast<int>(value)) : classes.end();
      if (found != classes.end()) {
        mask.values[static_cast<std::size_t>(y) * static_cast<std::size_t>(raster.width) +
                    static_cast<std::size_t>(x)] = found->second;
      } else {
        count(unknown, std::format("{}", value), file);
      }
    }
  }
  return mask;
}

void refuse_unknown(const UnknownValues& unknown) {
  if (unknown.pixels.empty()) return;
  std::vector<std::pair<std::string, std::int64_t>> sorted(unknown.pixels.begin(), unknown.pixels.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(sorted.size(), 20); ++i) {
    list += std::format("{}{} ({} pixels)", i == 0 ? "" : ", ", sorted[i].first, sorted[i].second);
  }
  if (sorted.size() > 20) list += std::format(" and {} more", sorted.size() - 20);
  throw DataError(unknown.first_file, std::format("the masks hold values that no class claims: {}", list),
                  "give them to a class, or name them under `ignore` in [labels]");
}

geo::Raster raster_from_mask(const layout::DenseMask& mask) {
  geo::Raster raster = geo::make_raster(mask.width, mask.height, 1, geo::DataType::uint8);
  std::memcpy(raster.samples.data(), mask.values.data(), mask.values.size());
  return raster;
}

layout::DenseMask mask_from_raster(const geo::Raster& raster, int classes, const std::string& file) {
  if (raster.bands != 1 || raster.type != geo::DataType::uint8) throw DataError(file, "is no single-band uint8 mask");
  layout::DenseMask mask = empty_mask(raster);
  std::memcpy(mask.values.data(), raster.samples.data(), mask.values.size());
  for (const std::uint8_t value : mask.values) {
    if (value != layout::kUnlabelled && value >= classes) {
      throw DataError(file, std::format("holds class {}, the dataset has {} classes", value, classes));
    }
  }
  return mask;
}

}  // namespace terragen::formats
