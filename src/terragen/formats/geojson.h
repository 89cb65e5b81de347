// GeoJSON (RFC 7946), read and written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/layout/geometry.h"

namespace terragen::formats {

// One feature. Vertices in the file's coordinates (longitude, latitude unless the file names another CRS); widths and
// radii are not set.
struct GeoFeature {
  layout::Geometry geometry;
  Json properties = Json::object();
};

struct GeoFile {
  std::string crs = "EPSG:4326";  // of the old "crs" member, where there is one
  std::vector<GeoFeature> features;
  Json members = Json::object();  // further members of the collection, such as our "terragen"
};

// FeatureCollection, Feature or bare geometry; Polygon, LineString, Point and their Multi forms, GeometryCollection
// refused. A third coordinate is dropped. DataError naming file and feature.
GeoFile read_geojson(const std::filesystem::path& path);
void write_geojson(const GeoFile& file, const std::filesystem::path& path);

}  // namespace terragen::formats
