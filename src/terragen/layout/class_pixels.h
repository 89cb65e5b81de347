// How much of a layout each class covers.
#pragma once

#include <cstddef>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::layout {

struct ClassPixels {
  std::vector<std::size_t> classes;  // pixels of the dense mask, by class
  std::size_t unlabelled = 0;        // all pixels, where there is no mask
};

ClassPixels count_class_pixels(const Layout& layout, int classes);

}  // namespace terragen::layout
