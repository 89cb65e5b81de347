// Lines with a width as areas.
#include <algorithm>
#include <cmath>

#include "terragen/layout/geometry.h"

namespace terragen::layout {

// One quadrilateral a segment with flat ends, and a triangle in the outer gap of every bend up to the mitre's tip:
// their union is the ribbon, and none of them can cross itself, however sharp the bend.
std::vector<Polygon> ribbon(const Vertices& line, double width) {
  std::vector<Polygon> pieces;
  const double half = width / 2;
  const auto normal = [](Point p, Point q) {
    const double length = std::hypot(q.x - p.x, q.y - p.y);
    return Point{-(q.y - p.y) / length, (q.x - p.x) / length};
  };
  Vertices path;
  for (const Point& p : line) {
    if (path.empty() || !(path.back() == p)) path.push_back(p);
  }
  for (std::size_t i = 1; i < path.size(); ++i) {
    const Point p = path[i - 1];
    const Point q = path[i];
    const Point n = normal(p, q);
    pieces.push_back({{{p.x + n.x * half, p.y + n.y * half},
                       {q.x + n.x * half, q.y + n.y * half},
                       {q.x - n.x * half, q.y - n.y * half},
                       {p.x - n.x * half, p.y - n.y * half}},
                      {}});
    if (i + 1 == path.size()) continue;
    const Point m = normal(q, path[i + 1]);
    const double cross = n.x * m.y - n.y * m.x;
    const double side = cross > 0 ? -1 : 1;  // the outer side of the bend
    const Point a{q.x + side * n.x * half, q.y + side * n.y * half};
    const Point b{q.x + side * m.x * half, q.y + side * m.y * half};
    const Point sum{n.x + m.x, n.y + m.y};
    const double square = sum.x * sum.x + sum.y * sum.y;
    // Sharper than about 29 degrees the tip is cut off, as map renderers do.
    if (square > 0.25) {
      const Point tip{q.x + side * sum.x * 2 * half / square, q.y + side * sum.y * 2 * half / square};
      pieces.push_back({{q, a, tip, b}, {}});
    } else {
      pieces.push_back({{q, a, b}, {}});
    }
  }
  return pieces;
}

}  // namespace terragen::layout
