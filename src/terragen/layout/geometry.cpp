#include "terragen/layout/geometry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <limits>
#include <numbers>
#include <numeric>

#include "terragen/core/error.h"

namespace terragen::layout {
namespace {

constexpr std::array<std::string_view, kGeometryKinds> kNames{"box", "oriented_box", "polygon", "polyline", "point"};
constexpr int kDiscVertices = 32;

double ring_area(const Vertices& ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point& p = ring[i];
    const Point& q = ring[(i + 1) % ring.size()];
    twice += p.x * q.y - q.x * p.y;
  }
  return std::abs(twice) / 2;
}

Polygon disc(Point centre, double radius) {
  Polygon polygon;
  for (int i = 0; i < kDiscVertices; ++i) {
    const double angle = 2 * std::numbers::pi * i / kDiscVertices;
    polygon.exterior.push_back({centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  return polygon;
}

bool segments_cross(Point a, Point b, Point c, Point d) {
  const auto side = [](Point p, Point q, Point r) { return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x); };
  const double s1 = side(a, b, c);
  const double s2 = side(a, b, d);
  const double s3 = side(c, d, a);
  const double s4 = side(c, d, b);
  return ((s1 > 0 && s2 < 0) || (s1 < 0 && s2 > 0)) && ((s3 > 0 && s4 < 0) || (s3 < 0 && s4 > 0));
}

// Only segments that meet along the ring's longer extent are compared: outlines of 100,000 vertices are not rare.
bool crosses_itself(const Vertices& ring) {
  const std::size_t n = ring.size();
  const auto [west, east] = std::ranges::minmax(ring, {}, &Point::x);
  const auto [south, north] = std::ranges::minmax(ring, {}, &Point::y);
  const auto along = east.x - west.x >= north.y - south.y ? &Point::x : &Point::y;
  const auto begin_of = [&](std::size_t i) { return std::min(ring[i].*along, ring[(i + 1) % n].*along); };
  const auto end_of = [&](std::size_t i) { return std::max(ring[i].*along, ring[(i + 1) % n].*along); };
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, begin_of);
  for (std::size_t a = 0; a < n; ++a) {
    const std::size_t i = order[a];
    for (std::size_t b = a + 1; b < n && begin_of(order[b]) <= end_of(i); ++b) {
      const std::size_t j = order[b];
      const std::size_t apart = i < j ? j - i : i - j;
      if (apart == 1 || apart == n - 1) continue;
      if (segments_cross(ring[i], ring[(i + 1) % n], ring[j], ring[(j + 1) % n])) return true;
    }
  }
  return false;
}

bool all_finite(const Vertices& vertices) {
  return std::ranges::all_of(vertices, [](Point p) { return std::isfinite(p.x) && std::isfinite(p.y); });
}

template <class Visit>
void for_each_vertex_list(const Geometry& geometry, const Visit& visit) {
  for (const Polygon& part : geometry.parts) {
    visit(part.exterior);
    for (const Vertices& hole : part.holes) visit(hole);
  }
  for (const Vertices& line : geometry.lines) visit(line);
  if (!geometry.points.empty()) visit(geometry.points);
}

}  // namespace

std::string_view kind_name(GeometryKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

GeometryKind kind_from_name(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) throw RequestError(std::format("geometry kind \"{}\" is not known", name));
  return static_cast<GeometryKind>(found - kNames.begin());
}

Geometry make_box(const Bounds& b) {
  Geometry geometry{.kind = GeometryKind::box};
  geometry.parts.push_back({{{b.x0, b.y0}, {b.x1, b.y0}, {b.x1, b.y1}, {b.x0, b.y1}}, {}});
  return geometry;
}

Geometry make_oriented_box(const OrientedBox& box) {
  const double c = std::cos(box.angle);
  const double s = std::sin(box.angle);
  const auto corner = [&](double u, double v) {
    return Point{box.cx + u * box.width / 2 * c - v * box.height / 2 * s,
                 box.cy + u * box.width / 2 * s + v * box.height / 2 * c};
  };
  Geometry geometry{.kind = GeometryKind::oriented_box};
  geometry.parts.push_back({{corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)}, {}});
  return geometry;
}

Geometry make_polygon(Vertices exterior, std::vector<Vertices> holes) {
  Geometry geometry{.kind = GeometryKind::polygon};
  geometry.parts.push_back({std::move(exterior), std::move(holes)});
  return geometry;
}

Geometry make_polyline(Vertices line, double width) {
  Geometry geometry{.kind = GeometryKind::polyline};
  geometry.lines.push_back(std::move(line));
  geometry.width = width;
  return geometry;
}

Geometry make_point(Point point, double radius) {
  Geometry geometry{.kind = GeometryKind::point};
  geometry.points.push_back(point);
  geometry.radius = radius;
  return geometry;
}

std::vector<Polygon> as_polygons(const Geometry& geometry) {
  std::vector<Polygon> polygons = geometry.parts;
  for (const Vertices& line : geometry.lines) {
    for (Polygon& piece : ribbon(line, geometry.width)) polygons.push_back(std::move(piece));
  }
  for (const Point& point : geometry.points) polygons.push_back(disc(point, geometry.radius));
  return polygons;
}

Bounds bounds_of(const Geometry& geometry) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Bounds bounds{kInfinity, kInfinity, -kInfinity, -kInfinity};
  for (const Polygon& polygon : as_polygons(geometry)) {
    for (const Point& p : polygon.exterior) {
      bounds = {std::min(bounds.x0, p.x), std::min(bounds.y0, p.y), std::max(bounds.x1, p.x), std::max(bounds.y1, p.y)};
    }
  }
  return bounds.x0 > bounds.x1 ? Bounds{} : bounds;
}

double area_of(const Geometry& geometry) {
  double area = 0;
  for (const Polygon& part : geometry.parts) {
    area += ring_area(part.exterior);
    for (const Vertices& hole : part.holes) area -= ring_area(hole);
  }
  for (const Vertices& line : geometry.lines) {
    for (std::size_t i = 1; i < line.size(); ++i) {
      area += geometry.width * std::hypot(line[i].x - line[i - 1].x, line[i].y - line[i - 1].y);
    }
  }
  area += static_cast<double>(geometry.points.size()) * std::numbers::pi * geometry.radius * geometry.radius;
  return std::max(0.0, area);
}

Vertices resample_vertices(const Geometry& geometry, int count) {
  const auto length_of = [](const Vertices& v) {
    double length = 0;
    for (std::size_t i = 1; i < v.size(); ++i) length += std::hypot(v[i].x - v[i - 1].x, v[i].y - v[i - 1].y);
    return length;
  };
  Vertices longest;
  const auto consider = [&](Vertices path) {
    if (longest.empty() || length_of(path) > length_of(longest)) longest = std::move(path);
  };
  const bool closed = !geometry.parts.empty();
  for (const Polygon& part : geometry.parts) {
    Vertices path = part.exterior;
    if (!path.empty()) path.push_back(path.front());
    consider(std::move(path));
  }
  for (const Vertices& line : geometry.lines) consider(line);
  if (longest.empty() && !geometry.points.empty()) longest = {geometry.points.front()};
  if (longest.empty()) longest = {{0, 0}};
  const double length = length_of(longest);
  Vertices result;
  std::size_t segment = 1;
  double passed = 0;
  for (int i = 0; i < count; ++i) {
    const double target = length * i / std::max(1, closed ? count : count - 1);
    double step = 0;
    while (segment < longest.size()) {
      step = std::hypot(longest[segment].x - longest[segment - 1].x, longest[segment].y - longest[segment - 1].y);
      if (passed + step >= target) break;
      passed += step;
      ++segment;
    }
    if (segment >= longest.size()) {
      result.push_back(longest.back());
      continue;
    }
    const double t = step > 0 ? (target - passed) / step : 0;
    const Point& p = longest[segment - 1];
    const Point& q = longest[segment];
    result.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
  }
  return result;
}

bool is_empty(const Geometry& geometry) {
  return geometry.parts.empty() && geometry.lines.empty() && geometry.points.empty();
}

Geometry transform(const Geometry& geometry, const Affine& map) {
  Geometry result = geometry;
  const auto move = [&](Vertices& vertices) {
    for (Point& p : vertices) p = map.apply(p);
  };
  for (Polygon& part : result.parts) {
    move(part.exterior);
    for (Vertices& hole : part.holes) move(hole);
  }
  for (Vertices& line : result.lines) move(line);
  move(result.points);
  const double scale = std::sqrt(std::abs(map.a * map.e - map.b * map.d));
  result.width *= scale;
  result.radius *= scale;
  if (geometry.kind == GeometryKind::box && !result.parts.empty()) {
    const bool axis_parallel = (map.b == 0 && map.d == 0) || (map.a == 0 && map.e == 0);
    if (axis_parallel) return make_box(bounds_of(result));
    result.kind = GeometryKind::oriented_box;
  }
  return result;
}

std::string problem_of(const Geometry& geometry) {
  std::string problem;
  for_each_vertex_list(geometry, [&](const Vertices& vertices) {
    if (!all_finite(vertices)) problem = "a coordinate is not a number";
  });
  if (!problem.empty()) return problem;
  if (is_empty(geometry)) return "no vertices";
  if (!std::isfinite(geometry.width) || geometry.width < 0) return "the line's width is negative or not a number";
  if (!std::isfinite(geometry.radius) || geometry.radius < 0) return "the point's radius is negative or not a number";
  for (const Polygon& part : geometry.parts) {
    if (part.exterior.size() < 3) return std::format("a ring with {} vertices", part.exterior.size());
    if (crosses_itself(part.exterior)) return "a ring crosses itself";
    for (const Vertices& hole : part.holes) {
      if (hole.size() < 3) return std::format("a hole with {} vertices", hole.size());
    }
  }
  for (const Vertices& line : geometry.lines) {
    if (line.size() < 2) return "a line with fewer than two vertices";
  }
  if (!geometry.parts.empty() && !(area_of(geometry) > 0)) return "no area";
  return {};
}

}  // namespace terragen::layout
