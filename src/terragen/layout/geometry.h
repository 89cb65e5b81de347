// Shapes in pixel coordinates: x to the right, y down, pixel (i, j) covers [i, i+1) x [j, j+1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace terragen::layout {

struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

// A closed ring (the last vertex is not repeated) or an open line.
using Vertices = std::vector<Point>;

struct Polygon {
  Vertices exterior;
  std::vector<Vertices> holes;
  bool operator==(const Polygon&) const = default;
};

enum class GeometryKind { box, oriented_box, polygon, polyline, point };
inline constexpr int kGeometryKinds = 5;

// "box", "oriented_box", "polygon", "polyline", "point".
std::string_view kind_name(GeometryKind kind);
// Throws RequestError for an unknown name.
GeometryKind kind_from_name(std::string_view name);

// One shape. Multi-part shapes have several entries in `parts` (areas), `lines` or `points`.
//   box, oriented_box: exactly one part, four vertices, no holes (box: clockwise from top left)
//   polygon:           one or more parts
//   polyline:          one or more lines of two or more vertices, drawn `width` pixels wide with flat caps and mitred
//   joins point:             one or more points, drawn as discs of `radius` pixels
struct Geometry {
  GeometryKind kind = GeometryKind::polygon;
  std::vector<Polygon> parts;
  std::vector<Vertices> lines;
  Vertices points;
  double width = 0;   // pixels, polylines only
  double radius = 0;  // pixels, points only
  bool operator==(const Geometry&) const = default;
};

// x0 <= x1, y0 <= y1.
struct Bounds {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double width() const { return x1 - x0; }
  double height() const { return y1 - y0; }
  bool operator==(const Bounds&) const = default;
};

// A rectangle of any direction: centre, full width and height, angle of its width axis from +x towards +y, radians.
struct OrientedBox {
  double cx = 0, cy = 0, width = 0, height = 0, angle = 0;
};

Geometry make_box(const Bounds& bounds);
Geometry make_oriented_box(const OrientedBox& box);
Geometry make_polygon(Vertices exterior, std::vector<Vertices> holes = {});
Geometry make_polyline(Vertices line, double width);
Geometry make_point(Point point, double radius);

// Every kind as polygons: lines become ribbons, points become 32-gons.
std::vector<Polygon> as_polygons(const Geometry& geometry);
// A line as convex pieces whose union is the ribbon `width` pixels wide: flat ends, mitred joins.
std::vector<Polygon> ribbon(const Vertices& line, double width);
// Bounds of the drawn shape (widths and radii included). Empty geometry: all zero.
Bounds bounds_of(const Geometry& geometry);
// Signed-free area of the drawn shape in square pixels: exteriors minus holes.
double area_of(const Geometry& geometry);
// The smallest rectangle of any direction that holds the drawn shape (rotating calipers on the convex hull).
// Of equal rectangles the one with width >= height and angle in [-pi/2, pi/2).
OrientedBox minimum_oriented_box(const Geometry& geometry);
// `count` vertices at equal arc length along the longest exterior ring or line (points: the centre repeated).
Vertices resample_vertices(const Geometry& geometry, int count);
// What of the shape lies inside `window`, in the same coordinates; parts may vanish, a clipped box stays a box, a
// clipped oriented box stays one when its centre is inside (its corners may then lie outside), else becomes a polygon.
// Returns a geometry without parts, lines and points when nothing is left.
Geometry clip(const Geometry& geometry, const Bounds& window);
bool is_empty(const Geometry& geometry);

// An affine map of pixel coordinates: x' = a x + b y + c, y' = d x + e y + f.
struct Affine {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
  Point apply(Point p) const { return {a * p.x + b * p.y + c, d * p.x + e * p.y + f}; }
};
// Maps every vertex; widths and radii scale with sqrt(|ae - bd|). A box that is turned by other than a multiple of
// 90 degrees becomes an oriented box.
Geometry transform(const Geometry& geometry, const Affine& map);

// Why the shape is not usable ("ring with 2 vertices", "NaN coordinate", "crosses itself"), or empty when it is.
std::string problem_of(const Geometry& geometry);

}  // namespace terragen::layout
