// Shapes of an image to places on Earth, as GeoJSON wants them.
#pragma once

#include <string>

#include "terragen/geo/georeference.h"
#include "terragen/layout/geometry.h"

namespace terragen::formats {

// Whether the georeference tells where on Earth a pixel lies; a site's own grid does not.
bool is_located(const geo::Georeference& georeference);

// From an image's pixels to longitude and latitude in degrees (EPSG:4326).
class LonLatShapes {
 public:
  // The georeference must be located, else InternalError.
  explicit LonLatShapes(const geo::Georeference& georeference);
  // Exteriors come out counterclockwise and holes clockwise (RFC 7946, 3.1.6); widths and radii stay in pixels.
  // DataError naming `source` when a vertex has no place on Earth.
  layout::Geometry place(const layout::Geometry& pixels, const std::string& source) const;

 private:
  geo::GeoTransform crs_from_pixel_;
  geo::CrsTransform lon_lat_from_crs_;
};

}  // namespace terragen::formats
