#include "terragen/synthesis/draw_outline.h"

#include <algorithm>

namespace terragen::synthesis {

void draw_outline(Canvas& canvas, const layout::Geometry& geometry, Rgb color, int left, int top, int width,
                  int height) {
  const auto inside = [](double value, int limit) { return std::clamp(value, 0.0, static_cast<double>(limit - 1)); };
  for (const layout::Polygon& part : geometry.parts) {
    for (std::size_t i = 0; i < part.exterior.size(); ++i) {
      const layout::Point& p = part.exterior[i];
      const layout::Point& q = part.exterior[(i + 1) % part.exterior.size()];
      canvas.line(left + inside(p.x, width), top + inside(p.y, height), left + inside(q.x, width),
                  top + inside(q.y, height), color);
    }
  }
}

}  // namespace terragen::synthesis
