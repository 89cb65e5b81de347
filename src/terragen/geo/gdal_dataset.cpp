#include "terragen/geo/gdal_dataset.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::geo {

GDALDataType gdal_type(DataType type) {
  switch (type) {
    case DataType::uint8:
      return GDT_Byte;
    case DataType::uint16:
      return GDT_UInt16;
    case DataType::int16:
      return GDT_Int16;
    case DataType::float32:
      return GDT_Float32;
  }
  throw InternalError("[gdal_type] unknown type");
}

void set_georeference(GDALDataset& dataset, const Georeference& georeference) {
  if (georeference.crs_from_pixel) {
    GeoTransform transform = *georeference.crs_from_pixel;
    dataset.SetGeoTransform(transform.data());
  }
  if (!georeference.crs.empty()) {
    OGRSpatialReference reference;
    reference.SetFromUserInput(georeference.crs.c_str());
    dataset.SetSpatialRef(&reference);
  }
}

CPLStringList tiff_options(int width, int height, DataType type) {
  CPLStringList options;
  options.AddString("COMPRESS=DEFLATE");
  options.AddString(type == DataType::float32 ? "PREDICTOR=3" : "PREDICTOR=2");
  options.AddString("BIGTIFF=IF_SAFER");
  if (width > 512 || height > 512) options.AddString("TILED=YES");
  return options;
}

std::filesystem::path staged_path(const std::filesystem::path& path) {
  return path.parent_path() / std::format(".partial-{}", path.filename().string());
}

void remove_staged(const std::filesystem::path& staged) {
  std::error_code ignored;
  std::filesystem::remove(staged, ignored);
  std::filesystem::remove(std::filesystem::path(staged.string() + ".aux.xml"), ignored);
}

}  // namespace terragen::geo
