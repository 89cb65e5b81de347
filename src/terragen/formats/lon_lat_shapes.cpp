#include "terragen/formats/lon_lat_shapes.h"

#include <algorithm>

#include "terragen/core/error.h"

namespace terragen::formats {
namespace {

void turn(layout::Vertices& ring, bool counterclockwise) {
  double twice_area = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const layout::Point& p = ring[i];
    const layout::Point& q = ring[(i + 1) % ring.size()];
    // About the first vertex: a ring of some metres far from the origin has few digits left otherwise.
    twice_area += (p.x - ring[0].x) * (q.y - ring[0].y) - (q.x - ring[0].x) * (p.y - ring[0].y);
  }
  if ((twice_area > 0) != counterclockwise) std::ranges::reverse(ring);
}

geo::GeoTransform transform_of(const geo::Georeference& georeference) {
  if (!is_located(georeference)) throw InternalError("[LonLatShapes] the image has no place on Earth");
  return *georeference.crs_from_pixel;
}

}  // namespace

bool is_located(const geo::Georeference& georeference) {
  return !georeference.crs.empty() && georeference.crs_from_pixel.has_value() && geo::is_on_earth(georeference.crs);
}

LonLatShapes::LonLatShapes(const geo::Georeference& georeference)
    : crs_from_pixel_(transform_of(georeference)), lon_lat_from_crs_(georeference.crs, "EPSG:4326") {}

layout::Geometry LonLatShapes::place(const layout::Geometry& pixels, const std::string& source) const {
  layout::Geometry placed = pixels;
  const auto move = [&](layout::Vertices& vertices) {
    for (layout::Point& p : vertices) {
      const auto at = lon_lat_from_crs_.apply(geo::crs_from_pixel(crs_from_pixel_, {p.x, p.y}));
      if (!at) throw DataError(source, "a shape has no place on Earth");
      p = {at->x, at->y};
    }
  };
  for (layout::Polygon& part : placed.parts) {
    move(part.exterior);
    turn(part.exterior, true);
    for (layout::Vertices& hole : part.holes) {
      move(hole);
      turn(hole, false);
    }
  }
  for (layout::Vertices& line : placed.lines) move(line);
  move(placed.points);
  return placed;
}

}  // namespace terragen::formats
