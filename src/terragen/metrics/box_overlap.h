// Overlap of boxes, quadrilaterals and run-length masks, and suppression of what overlaps.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace terragen::metrics {

// x0 <= x1, y0 <= y1, in pixels.
struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

// Intersection over union; of a crowd, over the detection alone. 0 where both are empty. `extent` is added to every
// width and height: 1 where coordinates name the last pixel inside, as the DOTA and VOC kits do.
double box_iou(const Box& detection, const Box& truth, bool crowd = false, double extent = 0);

// Corners in either winding, any of them first: x0, y0 .. x3, y3.
using Quadrilateral = std::array<double, 8>;
// By the signed areas of the triangle fans, so that quadrilaterals need not be convex. 0 where both have no area.
double quadrilateral_iou(const Quadrilateral& one, const Quadrilateral& two);

// Masks as COCO counts them: runs of 0 and 1 in turn, column by column, the first of 0.
using RunLengths = std::vector<std::uint32_t>;
std::uint64_t run_length_area(const RunLengths& runs);
// Masks of one size; else RequestError.
double run_length_iou(const RunLengths& detection, const RunLengths& truth, bool crowd = false);

// Greedy non-maximum suppression: by falling score, everything that overlaps a kept one by more than `most` goes.
// The kept ones' indices by falling score. With `bounds` only those are compared whose bounds may meet, which is faster
// for thousands; without, all.
std::vector<std::size_t> suppress(std::span<const double> scores, double most,
                                  const std::function<double(std::size_t, std::size_t)>& overlap,
                                  const std::vector<Box>& bounds = {});

}  // namespace terragen::metrics
