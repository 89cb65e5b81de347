#include "terragen/metrics/boundary_iou.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "terragen/core/error.h"

namespace terragen::metrics {
namespace {

// Along one axis: 1 where all pixels up to `distance` to either side are 1, those outside the image being 0.
std::vector<std::uint8_t> eroded(const std::vector<std::uint8_t>& mask, int count, int length, int step_line, int step,
                                 int distance) {
  std::vector<std::uint8_t> result(mask.size(), 0);
  for (int line = 0; line < count; ++line) {
    const auto at = [&](int i) {
      return static_cast<std::size_t>(line) * static_cast<std::size_t>(step_line) +
             static_cast<std::size_t>(i) * static_cast<std::size_t>(step);
    };
    int run = 0;  // ones that end at i
    for (int i = 0; i < length; ++i) {
      run = mask[at(i)] != 0 ? run + 1 : 0;
      if (run > 2 * distance) result[at(i - distance)] = 1;
    }
  }
  return result;
}

}  // namespace

std::vector<std::uint8_t> boundary_of(std::span<const std::uint8_t> mask, int width, int distance) {
  if (width < 1 || mask.size() % static_cast<std::size_t>(width) != 0) {
    throw RequestError("the mask is no whole number of rows");
  }
  const int height = static_cast<int>(mask.size()) / width;
  std::vector<std::uint8_t> boundary(mask.begin(), mask.end());
  const auto inside = eroded(eroded(boundary, height, width, width, 1, distance), width, height, 1, width, distance);
  for (std::size_t i = 0; i < boundary.size(); ++i) boundary[i] = boundary[i] != 0 && inside[i] == 0 ? 1 : 0;
  return boundary;
}

BoundaryPixels boundary_pixels(std::span<const std::uint8_t> one, std::span<const std::uint8_t> two, int width,
                               double share) {
  if (one.size() != two.size()) throw RequestError("masks of different sizes cannot be compared");
  const double height = static_cast<double>(one.size()) / std::max(1, width);
  const int distance = std::max(1, static_cast<int>(std::lround(share * std::hypot(width, height))));
  const auto first = boundary_of(one, width, distance);
  const auto second = boundary_of(two, width, distance);
  BoundaryPixels pixels;
  for (std::size_t i = 0; i < first.size(); ++i) {
    pixels.both += first[i] != 0 && second[i] != 0 ? 1 : 0;
    pixels.either += first[i] != 0 || second[i] != 0 ? 1 : 0;
  }
  return pixels;
}

double BoundaryPixels::iou() const {
  return either == 0 ? std::numeric_limits<double>::quiet_NaN()
                     : static_cast<double>(both) / static_cast<double>(either);
}

double boundary_iou(std::span<const std::uint8_t> one, std::span<const std::uint8_t> two, int width, double share) {
  const BoundaryPixels pixels = boundary_pixels(one, two, width, share);
  return pixels.either == 0 ? 0.0 : pixels.iou();
}

}  // namespace terragen::metrics
