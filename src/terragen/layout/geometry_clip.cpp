// Shapes cut to a window.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "terragen/layout/geometry.h"

namespace terragen::layout {
namespace {

// A half plane: keep points where `sign * coordinate >= sign * limit`.
struct Edge {
  bool vertical;  // the limit is an x
  double limit;
  double sign;
  double inside(Point p) const { return sign * ((vertical ? p.x : p.y) - limit); }
};

Point crossing(const Edge& edge, Point p, Point q) {
  const double a = edge.inside(p);
  const double b = edge.inside(q);
  const double t = a / (a - b);
  Point r{p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)};
  (edge.vertical ? r.x : r.y) = edge.limit;
  return r;
}

// Sutherland and Hodgman 1974. Where a concave ring falls into pieces these stay joined by edges along the window's
// border, which have no area and change no pixel.
Vertices clip_ring(const Vertices& ring, const Edge& edge) {
  Vertices result;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point p = ring[i];
    const Point q = ring[(i + 1) % ring.size()];
    const bool p_in = edge.inside(p) >= 0;
    const bool q_in = edge.inside(q) >= 0;
    if (p_in) result.push_back(p);
    if (p_in != q_in) result.push_back(crossing(edge, p, q));
  }
  return result;
}

double twice_area(const Vertices& ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point& p = ring[i];
    const Point& q = ring[(i + 1) % ring.size()];
    twice += p.x * q.y - q.x * p.y;
  }
  return std::abs(twice);
}

std::vector<Edge> edges_of(const Bounds& window) {
  return {{true, window.x0, 1}, {true, window.x1, -1}, {false, window.y0, 1}, {false, window.y1, -1}};
}

std::optional<Vertices> clip_ring(Vertices ring, const Bounds& window) {
  for (const Edge& edge : edges_of(window)) ring = clip_ring(ring, edge);
  ring.erase(std::unique(ring.begin(), ring.end()), ring.end());
  while (ring.size() > 1 && ring.front() == ring.back()) ring.pop_back();
  if (ring.size() < 3 || twice_area(ring) <= 1e-9) return std::nullopt;
  return ring;
}

// Liang and Barsky 1984: the part of segment pq inside the window, as two parameters.
std::optional<std::pair<double, double>> clip_segment(Point p, Point q, const Bounds& window) {
  double t0 = 0;
  double t1 = 1;
  for (const Edge& edge : edges_of(window)) {
    const double a = edge.inside(p);
    const double b = edge.inside(q);
    if (a < 0 && b < 0) return std::nullopt;
    if (a < 0) t0 = std::max(t0, a / (a - b));
    if (b < 0) t1 = std::min(t1, a / (a - b));
  }
  if (t0 >= t1) return std::nullopt;
  return std::pair{t0, t1};
}

std::vector<Vertices> clip_line(const Vertices& line, const Bounds& window) {
  std::vector<Vertices> pieces;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const Point p = line[i - 1];
    const Point q = line[i];
    const auto kept = clip_segment(p, q, window);
    if (!kept) continue;
    const auto at = [&](double t) {
      return t <= 0 ? p : t >= 1 ? q : Point{p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)};
    };
    if (pieces.empty() || !(pieces.back().back() == at(kept->first))) pieces.push_back({at(kept->first)});
    pieces.back().push_back(at(kept->second));
  }
  return pieces;
}

Bounds grown(const Bounds& window, double by) {
  return {window.x0 - by, window.y0 - by, window.x1 + by, window.y1 + by};
}

bool contains(const Bounds& window, Point p) {
  return p.x >= window.x0 && p.x <= window.x1 && p.y >= window.y0 && p.y <= window.y1;
}

}  // namespace

Geometry clip(const Geometry& geometry, const Bounds& window) {
  Geometry result{.kind = geometry.kind};
  result.width = geometry.width;
  result.radius = geometry.radius;
  if (geometry.kind == GeometryKind::oriented_box && !geometry.parts.empty()) {
    Point centre;
    for (const Point& p : geometry.parts.front().exterior) {
      centre.x += p.x / static_cast<double>(geometry.parts.front().exterior.size());
      centre.y += p.y / static_cast<double>(geometry.parts.front().exterior.size());
    }
    if (contains(window, centre)) return geometry;
    result.kind = GeometryKind::polygon;
  }
  for (const Polygon& part : geometry.parts) {
    auto exterior = clip_ring(part.exterior, window);
    if (!exterior) continue;
    Polygon kept{std::move(*exterior), {}};
    for (const Vertices& hole : part.holes) {
      if (auto ring = clip_ring(hole, window)) kept.holes.push_back(std::move(*ring));
    }
    result.parts.push_back(std::move(kept));
  }
  // A line outside whose ribbon reaches into the window still shows there.
  for (const Vertices& line : geometry.lines) {
    for (Vertices& piece : clip_line(line, grown(window, geometry.width))) result.lines.push_back(std::move(piece));
  }
  if (!result.lines.empty()) {
    const Bounds drawn = bounds_of(result);
    if (drawn.x1 <= window.x0 || drawn.y1 <= window.y0 || drawn.x0 >= window.x1 || drawn.y0 >= window.y1)
      result.lines.clear();
  }
  for (const Point& p : geometry.points) {
    if (contains(window, p)) result.points.push_back(p);
  }
  if (geometry.kind == GeometryKind::box && !result.parts.empty()) return make_box(bounds_of(result));
  return result;
}

}  // namespace terragen::layout
