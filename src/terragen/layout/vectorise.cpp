#include "terragen/layout/vectorise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace terragen::layout {
namespace {

std::size_t at(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

// Numbers the 4-connected regions from 1; 0 is background. Returns their pixel counts by number.
std::vector<int> label_regions(const std::vector<std::uint8_t>& mask, int width, int height, std::vector<int>& labels) {
  labels.assign(mask.size(), 0);
  std::vector<int> counts{0};
  std::vector<std::pair<int, int>> stack;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (mask[at(x, y, width)] == 0 || labels[at(x, y, width)] != 0) continue;
      const int label = static_cast<int>(counts.size());
      counts.push_back(0);
      stack.emplace_back(x, y);
      labels[at(x, y, width)] = label;
      while (!stack.empty()) {
        const auto [cx, cy] = stack.back();
        stack.pop_back();
        ++counts.back();
        constexpr std::array<std::pair<int, int>, 4> kSteps{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
        for (const auto& [dx, dy] : kSteps) {
          const int nx = cx + dx;
          const int ny = cy + dy;
          if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
          if (mask[at(nx, ny, width)] == 0 || labels[at(nx, ny, width)] != 0) continue;
          labels[at(nx, ny, width)] = label;
          stack.emplace_back(nx, ny);
        }
      }
    }
  }
  return counts;
}

double signed_area(const Vertices& ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point& p = ring[i];
    const Point& q = ring[(i + 1) % ring.size()];
    twice += p.x * q.y - q.x * p.y;
  }
  return twice / 2;
}

using Corner = std::pair<int, int>;

// The rings around one region: directed pixel edges with the region on the right hand (y down), chained. Exteriors
// come out with positive area, holes with negative.
std::vector<Vertices> trace(const std::vector<int>& labels, int width, int height, int label,
                            const std::array<int, 4>& box) {
  std::multimap<Corner, Corner> edges;
  const auto is = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < width && y < height && labels[at(x, y, width)] == label;
  };
  for (int y = box[1]; y <= box[3]; ++y) {
    for (int x = box[0]; x <= box[2]; ++x) {
      if (!is(x, y)) continue;
      if (!is(x, y - 1)) edges.emplace(Corner{x, y}, Corner{x + 1, y});
      if (!is(x + 1, y)) edges.emplace(Corner{x + 1, y}, Corner{x + 1, y + 1});
      if (!is(x, y + 1)) edges.emplace(Corner{x + 1, y + 1}, Corner{x, y + 1});
      if (!is(x - 1, y)) edges.emplace(Corner{x, y + 1}, Corner{x, y});
    }
  }
  std::vector<Vertices> rings;
  while (!edges.empty()) {
    auto edge = edges.begin();
    const Corner start = edge->first;
    Corner from = start;
    Corner to = edge->second;
    edges.erase(edge);
    Vertices ring{{static_cast<double>(from.first), static_cast<double>(from.second)}};
    while (to != start) {
      const auto range = edges.equal_range(to);
      auto chosen = range.first;
      // Where two pixels touch at a corner only, turning right keeps to one 4-connected region's outline.
      for (auto candidate = range.first; candidate != range.second; ++candidate) {
        const int dx = to.first - from.first;
        const int dy = to.second - from.second;
        const int ex = candidate->second.first - to.first;
        const int ey = candidate->second.second - to.second;
        if (dx * ey - dy * ex > 0) chosen = candidate;
      }
      const Corner next = chosen->second;
      const bool straight =
          (to.first - from.first) * (next.second - to.second) == (to.second - from.second) * (next.first - to.first);
      if (!straight) ring.push_back({static_cast<double>(to.first), static_cast<double>(to.second)});
      edges.erase(chosen);
      from = to;
      to = next;
    }
    rings.push_back(std::move(ring));
  }
  return rings;
}

void simplify_span(const Vertices& path, std::size_t first, std::size_t last, double tolerance,
                   std::vector<bool>& keep) {
  double farthest = 0;
  std::size_t index = first;
  const Point p = path[first];
  const Point q = path[last];
  const double length = std::hypot(q.x - p.x, q.y - p.y);
  for (std::size_t i = first + 1; i < last; ++i) {
    const Point c = path[i];
    const double distance = length > 0 ? std::abs((q.x - p.x) * (c.y - p.y) - (q.y - p.y) * (c.x - p.x)) / length
                                       : std::hypot(c.x - p.x, c.y - p.y);
    if (distance > farthest) farthest = distance, index = i;
  }
  if (farthest <= tolerance) return;
  keep[index] = true;
  simplify_span(path, first, index, tolerance, keep);
  simplify_span(path, index, last, tolerance, keep);
}

Vertices simplify_ring(const Vertices& ring, double tolerance) {
  if (ring.size() < 4) return ring;
  // Two far vertices hold the ring open; the rest is simplified between them.
  std::size_t far = 0;
  double most = -1;
  for (std::size_t i = 1; i < ring.size(); ++i) {
    const double d = std::hypot(ring[i].x - ring[0].x, ring[i].y - ring[0].y);
    if (d > most) most = d, far = i;
  }
  Vertices path = ring;
  path.push_back(ring.front());
  std::vector<bool> keep(path.size(), false);
  keep[0] = keep[far] = true;
  simplify_span(path, 0, far, tolerance, keep);
  simplify_span(path, far, path.size() - 1, tolerance, keep);
  Vertices result;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    if (keep[i]) result.push_back(ring[i]);
  }
  if (result.size() < 3 || !problem_of(make_polygon(result)).empty()) return ring;
  return result;
}

}  // namespace

std::vector<Polygon> vectorise(const std::vector<std::uint8_t>& mask, int width, int height, int least_pixels) {
  std::vector<int> labels;
  const std::vector<int> counts = label_regions(mask, width, height, labels);
  std::vector<std::array<int, 4>> boxes(counts.size(), {width, height, -1, -1});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int label = labels[at(x, y, width)];
      if (label == 0) continue;
      std::array<int, 4>& box = boxes[static_cast<std::size_t>(label)];
      box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x), std::max(box[3], y)};
    }
  }
  std::vector<Polygon> polygons;
  for (int label = 1; label < static_cast<int>(counts.size()); ++label) {
    if (counts[static_cast<std::size_t>(label)] < least_pixels) continue;
    Polygon polygon;
    for (Vertices& ring : trace(labels, width, height, label, boxes[static_cast<std::size_t>(label)])) {
      if (signed_area(ring) > 0 && polygon.exterior.empty()) {
        polygon.exterior = std::move(ring);
      } else {
        polygon.holes.push_back(std::move(ring));
      }
    }
    polygons.push_back(std::move(polygon));
  }
  return polygons;
}

Polygon simplify(const Polygon& polygon, double tolerance) {
  Polygon result{simplify_ring(polygon.exterior, tolerance), {}};
  for (const Vertices& hole : polygon.holes) result.holes.push_back(simplify_ring(hole, tolerance));
  return result;
}

}  // namespace terragen::layout
