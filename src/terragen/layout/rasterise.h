// The one rasteriser: shapes to coverage, class masks and signed distances. Used for what conditions the model and
// for the label that is written, so that both are the same geometry.
#pragma once

#include <cstdint>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::layout {

// float32 values row by row.
struct Plane {
  int width = 0;
  int height = 0;
  std::vector<float> values;
  float& at(int x, int y) {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
  float at(int x, int y) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

// 1 where the pixel's centre lies inside the drawn shape (even-odd rule, holes and parts respected), else 0. A shape
// too thin to cover any centre marks the pixel in the middle of each of its parts, so that no object vanishes.
// Result: width * height values row by row.
std::vector<std::uint8_t> rasterise(const Geometry& geometry, int width, int height);
// The same, added to what `pixels` hold of an image of that size.
void draw_onto(std::vector<std::uint8_t>& pixels, const Geometry& geometry, int width, int height);
// 1 where the layout has the class, in a feature or in the dense mask.
std::vector<std::uint8_t> pixels_of_class(const Layout& layout, int class_index);

// Every feature and the dense mask in one class mask, as it is written as label: the dense mask first, then features
// in their order, larger before smaller (so that a car stays visible on a road); crowd regions are drawn like others.
// `background` fills what nothing covers.
DenseMask rasterise_classes(const Layout& layout, std::uint8_t background = kUnlabelled);

// Coverage in [0, 1] of every class on a grid coarser than the pixels by `cell` (which must divide width and height):
// planes[k].at(x, y) is the share of the cell's pixels that carry class k. Overlapping features of different classes
// each count in their own plane; the dense mask counts where it is labelled.
std::vector<Plane> class_coverage(const Layout& layout, int classes, int cell);

// Signed distance in pixels from every cell centre to the nearest edge of the geometry, negative inside, on a grid
// coarser than the pixels by `cell`. Lines and points: distance to the drawn ribbon or disc. Exact (vertex-based).
Plane signed_distance(const Geometry& geometry, int width, int height, int cell);

// Signed distance in pixels at every cell centre to the nearest edge of any class region of `rasterise_classes`
// (negative inside features; without a dense mask the regions are the union of the features, with one the
// boundaries between classes, always non-negative), clamped to [-limit, limit]. Layout without edges: +limit.
Plane nearest_edge_distance(const Layout& layout, int cell, float limit);

}  // namespace terragen::layout
