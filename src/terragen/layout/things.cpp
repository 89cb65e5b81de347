#include "terragen/layout/things.h"

#include <algorithm>

#include "terragen/layout/vectorise.h"

namespace terragen::layout {

std::vector<Geometry> things_of(const Layout& layout, int class_index, int least_pixels) {
  std::vector<Geometry> things;
  for (const Feature& feature : layout.features) {
    if (feature.class_index == class_index && !feature.crowd) things.push_back(feature.geometry);
  }
  if (!layout.mask) return things;
  std::vector<std::uint8_t> of_class(layout.mask->values.size());
  std::ranges::transform(layout.mask->values, of_class.begin(),
                         [&](std::uint8_t value) { return value == class_index ? 1 : 0; });
  for (Polygon& region : vectorise(of_class, layout.width, layout.height, least_pixels)) {
    Geometry geometry;
    geometry.parts = {std::move(region)};
    things.push_back(std::move(geometry));
  }
  return things;
}

}  // namespace terragen::layout
