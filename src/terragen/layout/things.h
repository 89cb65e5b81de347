// What a layout holds of one class, one by one.
#pragma once

#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::layout {

// The features of the class but crowds.
std::vector<Geometry> objects_of(const Layout& layout, int class_index);
// The 4-connected regions of at least `least_pixels` that the dense mask has of the class.
std::vector<Geometry> regions_of(const Layout& layout, int class_index, int least_pixels = 16);
// Those, then these.
std::vector<Geometry> things_of(const Layout& layout, int class_index, int least_pixels = 16);

}  // namespace terragen::layout
