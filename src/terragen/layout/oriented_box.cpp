// The smallest rectangle around a shape.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "terragen/layout/geometry.h"

namespace terragen::layout {
namespace {

// Andrew's monotone chain.
Vertices convex_hull(Vertices points) {
  std::ranges::sort(points, [](Point a, Point b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 3) return points;
  const auto turn = [](Point o, Point a, Point b) { return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x); };
  Vertices hull;
  for (int pass = 0; pass < 2; ++pass) {
    const std::size_t base = hull.size();
    for (const Point& p : points) {
      while (hull.size() >= base + 2 && turn(hull[hull.size() - 2], hull.back(), p) <= 0) hull.pop_back();
      hull.push_back(p);
    }
    hull.pop_back();
    std::ranges::reverse(points);
  }
  return hull;
}

OrientedBox normalised(OrientedBox box) {
  if (box.width < box.height) {
    std::swap(box.width, box.height);
    box.angle += std::numbers::pi / 2;
  }
  while (box.angle >= std::numbers::pi / 2) box.angle -= std::numbers::pi;
  while (box.angle < -std::numbers::pi / 2) box.angle += std::numbers::pi;
  return box;
}

OrientedBox box_along(const Vertices& hull, double angle) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  double u0 = kInfinity, u1 = -kInfinity, v0 = kInfinity, v1 = -kInfinity;
  for (const Point& p : hull) {
    const double u = p.x * c + p.y * s;
    const double v = -p.x * s + p.y * c;
    u0 = std::min(u0, u), u1 = std::max(u1, u), v0 = std::min(v0, v), v1 = std::max(v1, v);
  }
  const double u = (u0 + u1) / 2;
  const double v = (v0 + v1) / 2;
  return {u * c - v * s, u * s + v * c, u1 - u0, v1 - v0, angle};
}

}  // namespace

OrientedBox minimum_oriented_box(const Geometry& geometry) {
  Vertices points;
  for (const Polygon& polygon : as_polygons(geometry)) {
    points.insert(points.end(), polygon.exterior.begin(), polygon.exterior.end());
  }
  const Vertices hull = convex_hull(points);
  if (hull.empty()) return {};
  OrientedBox best = box_along(hull, 0);
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const Point& p = hull[i];
    const Point& q = hull[(i + 1) % hull.size()];
    if (p == q) continue;
    const OrientedBox box = box_along(hull, std::atan2(q.y - p.y, q.x - p.x));
    if (box.width * box.height < best.width * best.height * (1 - 1e-12)) best = box;
  }
  return normalised(best);
}

}  // namespace terragen::layout
