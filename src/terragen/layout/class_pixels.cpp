#include "terragen/layout/class_pixels.h"

namespace terragen::layout {

ClassPixels count_class_pixels(const Layout& layout, int classes) {
  ClassPixels pixels{.classes = std::vector<std::size_t>(static_cast<std::size_t>(classes))};
  if (!layout.mask) {
    pixels.unlabelled = static_cast<std::size_t>(layout.width) * static_cast<std::size_t>(layout.height);
    return pixels;
  }
  for (const std::uint8_t value : layout.mask->values) {
    ++(value == kUnlabelled ? pixels.unlabelled : pixels.classes.at(value));
  }
  return pixels;
}

}  // namespace terragen::layout
