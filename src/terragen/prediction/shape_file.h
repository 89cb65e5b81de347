// What was found in an image, as GeoJSON.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "terragen/formats/geojson.h"
#include "terragen/formats/lon_lat_shapes.h"
#include "terragen/geo/raster_io.h"

namespace terragen::prediction {

// Longitude and latitude where the image is located. Elsewhere pixels of the image, x to the right and y down, and the
// collection's member "terragen" says "coordinates": "pixel".
class ShapeFile {
 public:
  // `provenance` joins the image's name and size under "terragen". RequestError when the image's CRS leads nowhere.
  ShapeFile(const std::filesystem::path& image, const geo::RasterInfo& info, const Json& provenance);
  // A shape in the image's pixels. DataError naming the image when it has no place on Earth.
  void add(const layout::Geometry& pixels, const Json& properties);
  std::size_t size() const { return file_.features.size(); }
  void write(const std::filesystem::path& path) const { formats::write_geojson(file_, path); }

 private:
  std::string image_;
  std::optional<formats::LonLatShapes> on_earth_;
  formats::GeoFile file_;
};

}  // namespace terragen::prediction
