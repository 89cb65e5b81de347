// Overlap of two masks' outlines, which says what the overlap of large masks hides.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace terragen::metrics {

// The mask's pixels within `distance` pixels of its outline or the image's edge, 1 or 0. mask: `width` pixels a row.
std::vector<std::uint8_t> boundary_of(std::span<const std::uint8_t> mask, int width, int distance);

// Pixels of two boundaries, which sum up over images.
struct BoundaryPixels {
  std::int64_t both = 0;
  std::int64_t either = 0;

  void add(const BoundaryPixels& other) {
    both += other.both;
    either += other.either;
  }
  // NaN where neither has any.
  double iou() const;
};

// Of one image, see boundary_iou.
BoundaryPixels boundary_pixels(std::span<const std::uint8_t> one, std::span<const std::uint8_t> two, int width,
                               double share = 0.02);

// Intersection over union of both boundaries (Cheng et al. 2021, arXiv 2103.16562). `distance` is a share of the
// image's diagonal there, 0.02, and at least one pixel. 0 where neither has any. RequestError when sizes do not fit.
double boundary_iou(std::span<const std::uint8_t> one, std::span<const std::uint8_t> two, int width,
                    double share = 0.02);

}  // namespace terragen::metrics
