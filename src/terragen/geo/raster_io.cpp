#include "terragen/geo/raster_io.h"

#include <gdal_priv.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <memory>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/geo/gdal_dataset.h"
#include "terragen/geo/gdal_scope.h"

namespace terragen::geo {
namespace {

namespace fs = std::filesystem;

// Formats that hold pixels of their own and refer to nothing else.
constexpr const char* kDrivers[] = {"GTiff", "PNG", "JPEG", "JP2OpenJPEG", nullptr};

DatasetHandle open(const fs::path& path, const GdalErrorScope& scope) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw DataError(path.string(), "is not a file that can be read");
  DatasetHandle dataset(
      GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_INTERNAL, kDrivers));
  if (!dataset) {
    scope.check(path.string(), "is not an image of a format that can be read");
    throw DataError(path.string(), "is not an image of a format that can be read",
                    "GeoTIFF, PNG, JPEG and JPEG 2000 are");
  }
  return dataset;
}

DataType type_of(GDALDataType type, const std::string& place) {
  switch (type) {
    case GDT_Byte:
      return DataType::uint8;
    case GDT_UInt16:
      return DataType::uint16;
    case GDT_Int16:
      return DataType::int16;
    case GDT_Int32:
    case GDT_UInt32:
    case GDT_Float32:
    case GDT_Float64:
      return DataType::float32;
    default:
      throw DataError(place, std::format("has pixels of type {}, which is not offered", GDALGetDataTypeName(type)));
  }
}

std::string crs_text(const OGRSpatialReference* reference) {
  if (reference == nullptr || reference->IsEmpty()) return {};
  const char* authority = reference->GetAuthorityName(nullptr);
  const char* code = reference->GetAuthorityCode(nullptr);
  if (authority != nullptr && code != nullptr) return std::format("{}:{}", authority, code);
  char* wkt = nullptr;
  reference->exportToWkt(&wkt);
  const std::string text = wkt == nullptr ? "" : wkt;
  CPLFree(wkt);
  return text;
}

bool has_palette(GDALDataset& dataset) {
  return dataset.GetRasterCount() == 1 && dataset.GetRasterBand(1)->GetColorTable() != nullptr &&
         dataset.GetRasterBand(1)->GetRasterDataType() == GDT_Byte;
}

std::optional<double> nodata_of(GDALDataset& dataset) {
  int known = 0;
  const double nodata = dataset.GetRasterBand(1)->GetNoDataValue(&known);
  return known != 0 ? std::optional(nodata) : std::nullopt;
}

RasterInfo info_of(GDALDataset& dataset, const std::string& place) {
  RasterInfo info;
  info.width = dataset.GetRasterXSize();
  info.height = dataset.GetRasterYSize();
  info.bands = has_palette(dataset) ? 3 : dataset.GetRasterCount();
  if (info.width <= 0 || info.height <= 0 || info.bands <= 0) throw DataError(place, "holds no pixels");
  info.type = type_of(dataset.GetRasterBand(1)->GetRasterDataType(), place);
  for (int b = 1; b <= dataset.GetRasterCount(); ++b) {
    if (type_of(dataset.GetRasterBand(b)->GetRasterDataType(), place) != info.type) {
      throw DataError(std::format("{}: band {}", place, b), "has another number type than the first band");
    }
  }
  if (!has_palette(dataset)) info.nodata = nodata_of(dataset);
  info.georeference.crs = crs_text(dataset.GetSpatialRef());
  GeoTransform transform{};
  if (dataset.GetGeoTransform(transform.data()) == CE_None && is_invertible(transform)) {
    info.georeference.crs_from_pixel = transform;
  }
  return info;
}

// The number of the file's alpha band, or 0.
int alpha_band(GDALDataset& dataset) {
  const int last = dataset.GetRasterCount();
  return last > 1 && dataset.GetRasterBand(last)->GetColorInterpretation() == GCI_AlphaBand ? last : 0;
}

// Where `opacity`, an alpha or mask band, is zero nothing was measured.
void mark_transparent(Raster& raster, GDALRasterBand& band, const PixelWindow& w, const GdalErrorScope& scope,
                      const std::string& place) {
  std::vector<float> opacity(raster.pixels());
  if (band.RasterIO(GF_Read, w.x, w.y, w.width, w.height, opacity.data(), w.width, w.height, GDT_Float32, 0, 0,
                    nullptr) != CE_None) {
    scope.check(place, "cannot be read to its end");
  }
  if (std::ranges::none_of(opacity, [](float a) { return a == 0.0F; })) return;
  if (raster.valid.empty()) raster.valid.assign(raster.pixels(), 1);
  for (std::size_t i = 0; i < opacity.size(); ++i) {
    if (opacity[i] == 0.0F) raster.valid[i] = 0;
  }
}

// Bands by 0-based number, as they are stored; no georeference.
Raster stored_bands(GDALDataset& dataset, const std::vector<int>& numbers, DataType type, const PixelWindow& w,
                    const GdalErrorScope& scope, const std::string& place) {
  Raster raster = make_raster(w.width, w.height, static_cast<int>(numbers.size()), type);
  const std::size_t plane = raster.pixels() * size_of(type);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (dataset.GetRasterBand(numbers[i] + 1)
            ->RasterIO(GF_Read, w.x, w.y, w.width, w.height, raster.samples.data() + i * plane, w.width, w.height,
                       gdal_type(type), 0, 0, nullptr) != CE_None) {
      scope.check(place, "cannot be read to its end");
    }
  }
  raster.nodata = nodata_of(dataset);
  mark_nodata(raster);
  return raster;
}

Raster expand_palette(GDALDataset& dataset, const Raster& indexes) {
  Raster raster = make_raster(indexes.width, indexes.height, 3, DataType::uint8);
  raster.valid = indexes.valid;
  const GDALColorTable* table = dataset.GetRasterBand(1)->GetColorTable();
  for (std::size_t i = 0; i < raster.pixels(); ++i) {
    const GDALColorEntry* entry = table->GetColorEntry(static_cast<int>(indexes.samples[i]));
    const GDALColorEntry color = entry == nullptr ? GDALColorEntry{0, 0, 0, 255} : *entry;
    raster.samples[i] = static_cast<std::byte>(color.c1);
    raster.samples[raster.pixels() + i] = static_cast<std::byte>(color.c2);
    raster.samples[2 * raster.pixels() + i] = static_cast<std::byte>(color.c3);
  }
  return raster;
}

Raster select_bands(const Raster& all, const std::vector<int>& bands) {
  Raster result = all;
  result.bands = static_cast<int>(bands.size());
  result.samples.clear();
  const auto plane = static_cast<std::ptrdiff_t>(all.pixels() * size_of(all.type));
  for (const int b : bands) {
    result.samples.insert(result.samples.end(), all.samples.begin() + b * plane, all.samples.begin() + (b + 1) * plane);
  }
  return result;
}

// Whether who reads the samples again finds the same pixels valid.
bool nodata_tells_validity(const Raster& raster) {
  if (raster.valid.empty()) return true;
  if (!raster.nodata) return false;
  Raster told = raster;
  told.valid.clear();
  mark_nodata(told);
  return told.valid == raster.valid;
}

void write_dataset(const fs::path& path, const Raster& raster, const GdalErrorScope& scope, const std::string& place) {
  const bool png = path.extension() == ".png";
  GDALDriverManager* manager = GetGDALDriverManager();
  GDALDriver* memory = manager->GetDriverByName("MEM");
  GDALDriver* driver = manager->GetDriverByName(png ? "PNG" : "GTiff");
  if (memory == nullptr || driver == nullptr) throw InternalError("[write_raster] GDAL lacks a driver");
  DatasetHandle source(memory->Create("", raster.width, raster.height, raster.bands, gdal_type(raster.type), nullptr));
  if (!source) throw DataError(place, "does not fit into memory");
  const std::size_t plane = raster.pixels() * size_of(raster.type);
  for (int b = 0; b < raster.bands; ++b) {
    // GDAL's interface takes a pointer to non-const also for writing.
    auto* data = const_cast<std::byte*>(raster.samples.data() + static_cast<std::size_t>(b) * plane);
    if (source->GetRasterBand(b + 1)->RasterIO(GF_Write, 0, 0, raster.width, raster.height, data, raster.width,
                                               raster.height, gdal_type(raster.type), 0, 0, nullptr) != CE_None) {
      scope.check(place, "cannot be written");
    }
    if (raster.nodata && !png) source->GetRasterBand(b + 1)->SetNoDataValue(*raster.nodata);
  }
  if (!png) set_georeference(*source, raster.georeference);
  if (!png && !nodata_tells_validity(raster)) {
    // Validity that no nodata value expresses travels as the file's own mask.
    std::vector<std::uint8_t> mask(raster.valid.size());
    std::ranges::transform(raster.valid, mask.begin(), [](std::uint8_t v) { return v != 0 ? 255 : 0; });
    if (source->CreateMaskBand(GMF_PER_DATASET) != CE_None ||
        source->GetRasterBand(1)->GetMaskBand()->RasterIO(GF_Write, 0, 0, raster.width, raster.height, mask.data(),
                                                          raster.width, raster.height, GDT_Byte, 0, 0,
                                                          nullptr) != CE_None) {
      scope.check(place, "cannot be written");
    }
  }
  const CPLConfigOptionSetter inside("GDAL_TIFF_INTERNAL_MASK", "YES", false);
  CPLStringList options;
  if (!png) options = tiff_options(raster.width, raster.height, raster.type);
  if (!png && raster.bands == 3 && raster.type == DataType::uint8) options.AddString("PHOTOMETRIC=RGB");
  DatasetHandle target(driver->CreateCopy(path.c_str(), source.get(), FALSE, options.List(), nullptr, nullptr));
  scope.check(place, "cannot be written");
  if (!target) throw DataError(place, "cannot be written");
}

}  // namespace

RasterInfo read_raster_info(const fs::path& path) {
  const GdalErrorScope scope;
  const DatasetHandle dataset = open(path, scope);
  return info_of(*dataset, path.string());
}

Raster read_raster(const fs::path& path, const std::vector<int>& bands, const std::optional<PixelWindow>& window) {
  const std::string place = path.string();
  const GdalErrorScope scope;
  const DatasetHandle dataset = open(path, scope);
  const RasterInfo info = info_of(*dataset, place);
  const PixelWindow w = window.value_or(PixelWindow{0, 0, info.width, info.height});
  if (w.x < 0 || w.y < 0 || w.width <= 0 || w.height <= 0 || w.x + w.width > info.width ||
      w.y + w.height > info.height) {
    throw InternalError("[read_raster] the window leaves the image");
  }
  for (const int b : bands) {
    if (b < 0 || b >= info.bands)
      throw DataError(place, std::format("has {} bands, band {} (from 0) is not among them", info.bands, b));
  }
  Raster raster;
  if (has_palette(*dataset)) {
    raster = expand_palette(*dataset, stored_bands(*dataset, {0}, info.type, w, scope, place));
    if (!bands.empty()) raster = select_bands(raster, bands);
  } else {
    std::vector<int> numbers = bands;
    if (numbers.empty()) {
      for (int b = 0; b < info.bands; ++b) numbers.push_back(b);
    }
    raster = stored_bands(*dataset, numbers, info.type, w, scope, place);
  }
  scope.check(place, "cannot be read to its end");
  raster.georeference = window_of(info.georeference, w.x, w.y);
  const int alpha = alpha_band(*dataset);
  const bool taken = bands.empty() || std::ranges::find(bands, alpha - 1) != bands.end();
  if (alpha > 0 && !taken) mark_transparent(raster, *dataset->GetRasterBand(alpha), w, scope, place);
  // Alpha bands also pose as masks: those are dealt with above.
  GDALRasterBand& first = *dataset->GetRasterBand(1);
  if (first.GetMaskFlags() == GMF_PER_DATASET) mark_transparent(raster, *first.GetMaskBand(), w, scope, place);
  return raster;
}

Raster read_index_raster(const fs::path& path) {
  const std::string place = path.string();
  const GdalErrorScope scope;
  const DatasetHandle dataset = open(path, scope);
  const RasterInfo info = info_of(*dataset, place);
  if (!has_palette(*dataset)) return read_raster(path);
  Raster raster = stored_bands(*dataset, {0}, info.type, {0, 0, info.width, info.height}, scope, place);
  raster.georeference = info.georeference;
  return raster;
}

void write_raster(const fs::path& path, const Raster& raster) {
  const bool png = path.extension() == ".png";
  const bool png_can = (raster.type == DataType::uint8 || raster.type == DataType::uint16) &&
                       (raster.bands == 1 || raster.bands == 3 || raster.bands == 4);
  if ((png && !png_can) || (!png && path.extension() != ".tif" && path.extension() != ".tiff")) {
    throw InternalError(std::format("[write_raster] {} cannot hold this raster", path.string()));
  }
  const fs::path staged = staged_path(path);
  try {
    {
      const GdalErrorScope scope;
      write_dataset(staged, raster, scope, path.string());
      scope.check(path.string(), "cannot be written");
    }
    const Raster again = read_raster(staged);
    if (again.samples != raster.samples) throw DataError(path.string(), "reads back otherwise than written");
    std::error_code error;
    fs::rename(staged, path, error);
    if (error) throw DataError(path.string(), std::format("cannot be put in place ({})", error.message()));
  } catch (...) {
    remove_staged(staged);
    throw;
  }
  remove_staged(staged);
}

std::vector<PixelWindow> tile_grid(int width, int height, int size, int overlap) {
  if (size <= 0 || overlap < 0 || overlap >= size) {
    throw RequestError(std::format("tiles of {} pixels cannot overlap by {}", size, overlap));
  }
  const auto starts = [&](int extent) {
    std::vector<int> result{0};
    while (result.back() + size < extent) result.push_back(std::min(result.back() + size - overlap, extent - size));
    return result;
  };
  std::vector<PixelWindow> windows;
  for (const int y : starts(height)) {
    for (const int x : starts(width)) windows.push_back({x, y, std::min(size, width), std::min(size, height)});
  }
  return windows;
}

}  // namespace terragen::geo
