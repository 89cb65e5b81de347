#include "terragen/metrics/box_overlap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "terragen/core/error.h"
#include "terragen/metrics/box_grid.h"

namespace terragen::metrics {
namespace {

struct Vertex {
  double x = 0;
  double y = 0;
};

double cross(Vertex o, Vertex a, Vertex b) { return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x); }

double signed_area(std::span<const Vertex> ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    twice += cross({}, ring[i], ring[(i + 1) % ring.size()]);
  }
  return twice / 2;
}

// What of `ring` lies to the left of the line from a to b (Sutherland-Hodgman).
std::vector<Vertex> cut(const std::vector<Vertex>& ring, Vertex a, Vertex b) {
  std::vector<Vertex> kept;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Vertex p = ring[i];
    const Vertex q = ring[(i + 1) % ring.size()];
    const double at_p = cross(a, b, p);
    const double at_q = cross(a, b, q);
    if (at_p >= 0) kept.push_back(p);
    if ((at_p > 0 && at_q < 0) || (at_p < 0 && at_q > 0)) {
      const double t = at_p / (at_p - at_q);
      kept.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
    }
  }
  return kept;
}

// Area of the intersection of the triangles (o, a, b) and (o, c, d), o the origin, with the sign of their windings'
// product.
double fan_intersection(Vertex a, Vertex b, Vertex c, Vertex d) {
  const double one = cross({}, a, b);
  const double two = cross({}, c, d);
  if (one == 0 || two == 0) return 0;
  if (one < 0) std::swap(a, b);
  if (two < 0) std::swap(c, d);
  std::vector<Vertex> ring{{}, a, b};
  ring = cut(ring, {}, c);
  ring = cut(ring, c, d);
  ring = cut(ring, d, {});
  const double area = std::abs(signed_area(ring));
  return (one < 0) != (two < 0) ? -area : area;
}

// Counter-clockwise, about `origin`.
std::array<Vertex, 4> ring_of(const Quadrilateral& corners, Vertex origin) {
  std::array<Vertex, 4> ring;
  for (std::size_t i = 0; i < 4; ++i) ring[i] = {corners[2 * i] - origin.x, corners[2 * i + 1] - origin.y};
  if (signed_area(ring) < 0) std::ranges::reverse(ring);
  return ring;
}

}  // namespace

double box_iou(const Box& detection, const Box& truth, bool crowd, double extent) {
  const auto area = [&](const Box& box) { return (box.x1 - box.x0 + extent) * (box.y1 - box.y0 + extent); };
  const double width = std::min(detection.x1, truth.x1) - std::max(detection.x0, truth.x0) + extent;
  const double height = std::min(detection.y1, truth.y1) - std::max(detection.y0, truth.y0) + extent;
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (crowd ? area(detection) : area(detection) + area(truth) - both);
}

double quadrilateral_iou(const Quadrilateral& one, const Quadrilateral& two) {
  // About a corner instead of the far origin: fewer digits are lost.
  const Vertex origin{one[0], one[1]};
  const auto first = ring_of(one, origin);
  const auto second = ring_of(two, origin);
  double both = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      both += fan_intersection(first[i], first[(i + 1) % 4], second[j], second[(j + 1) % 4]);
    }
  }
  const double either = std::abs(signed_area(first)) + std::abs(signed_area(second)) - both;
  return either > 0 ? both / either : 0;
}

std::uint64_t run_length_area(const RunLengths& runs) {
  std::uint64_t area = 0;
  for (std::size_t i = 1; i < runs.size(); i += 2) area += runs[i];
  return area;
}

double run_length_iou(const RunLengths& detection, const RunLengths& truth, bool crowd) {
  const auto pixels = [](const RunLengths& runs) {
    return std::accumulate(runs.begin(), runs.end(), std::uint64_t{0});
  };
  if (pixels(detection) != pixels(truth)) throw RequestError("masks of different sizes cannot be compared");
  std::uint64_t both = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  std::uint64_t left_i = detection.empty() ? 0 : detection[0];
  std::uint64_t left_j = truth.empty() ? 0 : truth[0];
  while (i < detection.size() && j < truth.size()) {
    const std::uint64_t run = std::min(left_i, left_j);
    if (i % 2 == 1 && j % 2 == 1) both += run;
    left_i -= run;
    left_j -= run;
    if (left_i == 0 && ++i < detection.size()) left_i = detection[i];
    if (left_j == 0 && ++j < truth.size()) left_j = truth[j];
  }
  const std::uint64_t own = run_length_area(detection);
  const std::uint64_t whole = crowd ? own : own + run_length_area(truth) - both;
  return whole == 0 ? 0 : static_cast<double>(both) / static_cast<double>(whole);
}

std::vector<std::size_t> suppress(std::span<const double> scores, double most,
                                  const std::function<double(std::size_t, std::size_t)>& overlap,
                                  const std::vector<Box>& bounds) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return scores[i]; });
  std::vector<std::size_t> kept;
  BoxGrid grid(most_side(bounds));
  for (const std::size_t candidate : order) {
    const auto rivals = [&](std::size_t k) { return overlap(k, candidate) > most; };
    if (bounds.empty() ? std::ranges::any_of(kept, rivals) : grid.any_near(bounds[candidate], rivals)) continue;
    kept.push_back(candidate);
    if (!bounds.empty()) grid.add(candidate, bounds[candidate]);
  }
  return kept;
}

}  // namespace terragen::metrics
