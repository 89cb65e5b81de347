#include "terragen/layout/things.h"

#include <algorithm>
#include <iterator>

#include "terragen/layout/vectorise.h"

namespace terragen::layout {

std::vector<Geometry> objects_of(const Layout& layout, int class_index) {
  std::vector<Geometry> objects;
  for (const Feature& feature : layout.features) {
    if (feature.class_index == class_index && !feature.crowd) objects.push_back(feature.geometry);
  }
  return objects;
}

std::vector<Geometry> regions_of(const Layout& layout, int class_index, int least_pixels) {
  std::vector<Geometry> regions;
  if (!layout.mask) return regions;
  std::vector<std::uint8_t> of_class(layout.mask->values.size());
  std::ranges::transform(layout.mask->values, of_class.begin(),
                         [&](std::uint8_t value) { return value == class_index ? 1 : 0; });
  for (Polygon& region : vectorise(of_class, layout.width, layout.height, least_pixels)) {
    Geometry geometry;
    geometry.parts = {std::move(region)};
    regions.push_back(std::move(geometry));
  }
  return regions;
}

std::vector<Geometry> things_of(const Layout& layout, int class_index, int least_pixels) {
  std::vector<Geometry> things = objects_of(layout, class_index);
  std::ranges::move(regions_of(layout, class_index, least_pixels), std::back_inserter(things));
  return things;
}

}  // namespace terragen::layout
