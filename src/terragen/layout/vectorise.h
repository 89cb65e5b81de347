// Masks to polygons: the inverse of the rasteriser.
#pragma once

#include <cstdint>
#include <vector>

#include "terragen/layout/geometry.h"

namespace terragen::layout {

// The 4-connected regions of non-zero pixels as polygons with holes whose vertices lie on pixel corners; rasterising
// them gives the mask back exactly. One polygon a region; regions below `least_pixels` are left out.
std::vector<Polygon> vectorise(const std::vector<std::uint8_t>& mask, int width, int height, int least_pixels = 1);

// Fewer vertices (Douglas-Peucker with `tolerance` pixels), never fewer than 3 a ring; rings that would cross
// themselves stay as they were.
Polygon simplify(const Polygon& polygon, double tolerance);

}  // namespace terragen::layout
