// Signed distances, exact from vertices or from a class mask's edges.
#include <algorithm>
#include <cmath>
#include <limits>

#include "terragen/layout/rasterise.h"

namespace terragen::layout {
namespace {

std::size_t cells(int w, int h) { return static_cast<std::size_t>(w) * static_cast<std::size_t>(h); }

struct Segment {
  Point p;
  Point q;
};

double square_distance(Point c, const Segment& s) {
  const double dx = s.q.x - s.p.x;
  const double dy = s.q.y - s.p.y;
  const double length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((c.x - s.p.x) * dx + (c.y - s.p.y) * dy) / length, 0.0, 1.0) : 0.0;
  const double x = s.p.x + t * dx - c.x;
  const double y = s.p.y + t * dy - c.y;
  return x * x + y * y;
}

bool crosses_ray(Point c, const Segment& s) {
  if ((s.p.y > c.y) == (s.q.y > c.y)) return false;
  return c.x < s.p.x + (c.y - s.p.y) / (s.q.y - s.p.y) * (s.q.x - s.p.x);
}

std::vector<Segment> segments_of(const Polygon& polygon) {
  std::vector<Segment> segments;
  const auto add = [&](const Vertices& ring) {
    for (std::size_t i = 0; i < ring.size(); ++i) segments.push_back({ring[i], ring[(i + 1) % ring.size()]});
  };
  add(polygon.exterior);
  for (const Vertices& hole : polygon.holes) add(hole);
  return segments;
}

double signed_distance_at(Point c, const std::vector<Segment>& segments) {
  double least = std::numeric_limits<double>::infinity();
  bool inside = false;
  for (const Segment& s : segments) {
    least = std::min(least, square_distance(c, s));
    if (crosses_ray(c, s)) inside = !inside;
  }
  return inside ? -std::sqrt(least) : std::sqrt(least);
}

// Felzenszwalb and Huttenlocher 2012: the squared distance transform of one row, in place.
void transform_row(std::vector<float>& f, std::vector<float>& result, std::vector<int>& v, std::vector<float>& z) {
  const int n = static_cast<int>(f.size());
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  int k = 0;
  v[0] = 0;
  z[0] = -std::numeric_limits<float>::infinity();
  z[1] = std::numeric_limits<float>::infinity();
  for (int q = 1; q < n; ++q) {
    const auto meet = [&] {
      const int p = v[at(k)];
      return ((f[at(q)] + static_cast<float>(q * q)) - (f[at(p)] + static_cast<float>(p * p))) /
             static_cast<float>(2 * (q - p));
    };
    float s = meet();
    while (s <= z[at(k)]) {
      --k;
      s = meet();
    }
    ++k;
    v[at(k)] = q;
    z[at(k)] = s;
    z[at(k + 1)] = std::numeric_limits<float>::infinity();
  }
  k = 0;
  for (int q = 0; q < n; ++q) {
    while (z[at(k + 1)] < static_cast<float>(q)) ++k;
    const int p = v[at(k)];
    result[at(q)] = static_cast<float>((q - p) * (q - p)) + f[at(p)];
  }
}

// Distance in cells from every cell to the nearest marked one.
std::vector<float> distance_to(const std::vector<std::uint8_t>& marked, int w, int h) {
  constexpr float kFar = 1e9F;
  std::vector<float> field(cells(w, h));
  for (std::size_t i = 0; i < field.size(); ++i) field[i] = marked[i] != 0 ? 0.0F : kFar;
  const auto longest = static_cast<std::size_t>(std::max(w, h));
  std::vector<int> v(longest);
  std::vector<float> z(longest + 1);
  std::vector<float> line(static_cast<std::size_t>(h));
  std::vector<float> out(static_cast<std::size_t>(h));
  for (int x = 0; x < w; ++x) {
    for (int y = 0; y < h; ++y) line[static_cast<std::size_t>(y)] = field[cells(w, y) + static_cast<std::size_t>(x)];
    transform_row(line, out, v, z);
    for (int y = 0; y < h; ++y) field[cells(w, y) + static_cast<std::size_t>(x)] = out[static_cast<std::size_t>(y)];
  }
  line.resize(static_cast<std::size_t>(w));
  out.resize(static_cast<std::size_t>(w));
  for (int y = 0; y < h; ++y) {
    std::copy_n(field.begin() + static_cast<std::ptrdiff_t>(cells(w, y)), w, line.begin());
    transform_row(line, out, v, z);
    std::transform(out.begin(), out.end(), field.begin() + static_cast<std::ptrdiff_t>(cells(w, y)),
                   [](float square) { return std::sqrt(square); });
  }
  return field;
}

}  // namespace

Plane signed_distance(const Geometry& geometry, int width, int height, int cell) {
  const int w = width / cell;
  const int h = height / cell;
  Plane plane{w, h, std::vector<float>(cells(w, h), std::numeric_limits<float>::max())};
  std::vector<std::vector<Segment>> outlines;
  for (const Polygon& polygon : geometry.parts) outlines.push_back(segments_of(polygon));
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const Point c{(x + 0.5) * cell, (y + 0.5) * cell};
      double least = std::numeric_limits<float>::max();
      for (const auto& outline : outlines) least = std::min(least, signed_distance_at(c, outline));
      for (const Vertices& line : geometry.lines) {
        for (std::size_t i = 1; i < line.size(); ++i) {
          least = std::min(least, std::sqrt(square_distance(c, {line[i - 1], line[i]})) - geometry.width / 2);
        }
      }
      for (const Point& p : geometry.points) {
        least = std::min(least, std::hypot(p.x - c.x, p.y - c.y) - geometry.radius);
      }
      plane.at(x, y) = static_cast<float>(least);
    }
  }
  return plane;
}

Plane nearest_edge_distance(const Layout& layout, int cell, float limit) {
  const DenseMask classes = rasterise_classes(layout);
  const int w = layout.width / cell;
  const int h = layout.height / cell;
  // An edge runs between two pixels of different value; both cells beside it are marked.
  std::vector<std::uint8_t> marked(cells(w, h), 0);
  bool any = false;
  const auto mark = [&](int x, int y) {
    marked[cells(w, std::min(y / cell, h - 1)) + static_cast<std::size_t>(std::min(x / cell, w - 1))] = 1;
    any = true;
  };
  const auto group = [&](int x, int y) -> int {
    const std::uint8_t value = classes.at(x, y);
    return layout.mask ? value : (value == kUnlabelled ? 0 : 1);
  };
  for (int y = 0; y < layout.height; ++y) {
    for (int x = 0; x < layout.width; ++x) {
      if (x > 0 && group(x, y) != group(x - 1, y)) mark(x, y), mark(x - 1, y);
      if (y > 0 && group(x, y) != group(x, y - 1)) mark(x, y), mark(x, y - 1);
    }
  }
  Plane plane{w, h, std::vector<float>(cells(w, h), limit)};
  if (!any) return plane;
  const std::vector<float> distance = distance_to(marked, w, h);
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const float d = std::min(limit, distance[cells(w, y) + static_cast<std::size_t>(x)] * static_cast<float>(cell));
      const bool inside = !layout.mask && group(x * cell + cell / 2, y * cell + cell / 2) == 1;
      plane.at(x, y) = inside ? -d : d;
    }
  }
  return plane;
}

}  // namespace terragen::layout
