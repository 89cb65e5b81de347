// Exact Euclidean distances between pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "terragen/layout/rasterise.h"

namespace terragen::synthesis {

// From every pixel to the nearest that is not 0, in pixels; infinity where there is none. `pixels`: row by row.
layout::Plane pixel_distance(const std::vector<std::uint8_t>& pixels, int width, int height);

// From every pixel that is not 0 to the nearest that is, what lies beyond the image among these; 0 elsewhere.
layout::Plane distance_to_edge(const std::vector<std::uint8_t>& pixels, int width, int height);

}  // namespace terragen::synthesis
