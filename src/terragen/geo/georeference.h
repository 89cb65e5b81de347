// Where an image lies on Earth.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace terragen::geo {

// A point of an image (pixels) or of a map (CRS units; x is longitude or easting).
struct Position {
  double x = 0;
  double y = 0;
};

// GDAL's geotransform: x_crs = g[0] + g[1] column + g[2] row; y_crs = g[3] + g[4] column + g[5] row.
using GeoTransform = std::array<double, 6>;

// A coordinate reference system and the map from pixels into it; both may be absent, each on its own.
struct Georeference {
  std::string crs;  // "EPSG:32611" where it has a code, else WKT; empty: none
  std::optional<GeoTransform> crs_from_pixel;
};

// The georeference of the window that begins at pixel (x, y).
Georeference window_of(const Georeference& whole, double x, double y);
// Pixel of a point in CRS coordinates. InternalError when there is no (invertible) transform: check first.
Position pixel_from_crs(const GeoTransform& crs_from_pixel, Position p);
Position crs_from_pixel(const GeoTransform& crs_from_pixel, Position p);
bool is_invertible(const GeoTransform& crs_from_pixel);

// Ground sampling distance in metres at the middle of an image of width x height pixels: the mean of both directions,
// true to the ground also in degrees and in Mercator maps, whose metres shrink with latitude. Nothing where unknown.
std::optional<double> ground_sampling_distance(const Georeference& reference, int width, int height);

// The georeference that a name like "OAM-386695-220247-19" tells: XYZ tile x, y, zoom in Web Mercator, `width` x
// `height` pixels over the tile. Nothing when the name does not end in three such numbers.
std::optional<Georeference> georeference_from_tile_name(const std::string& stem, int width, int height);

// The UTM zone's EPSG code for a longitude and latitude in degrees.
std::string utm_crs(double longitude, double latitude);

// Whether coordinates of this CRS can be told in degrees (EPSG:4326): not those of a site's own grid or of another
// planet.
bool is_on_earth(const std::string& crs);

// Coordinates from one CRS into another, x before y (longitude before latitude) on both sides.
class CrsTransform {
 public:
  // RequestError when a CRS is not known or there is no way between them.
  CrsTransform(const std::string& from, const std::string& to);
  ~CrsTransform();
  CrsTransform(const CrsTransform&) = delete;
  CrsTransform& operator=(const CrsTransform&) = delete;
  // Nothing where the point has no image.
  std::optional<Position> apply(Position p) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace terragen::geo
