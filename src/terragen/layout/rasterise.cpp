#include "terragen/layout/rasterise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "terragen/core/error.h"

namespace terragen::layout {
namespace {

std::size_t index_of(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

// The first pixel column or row whose centre is not left of (above) `coordinate`: half-open, so that neighbours that
// share an edge never share a pixel nor leave one out.
int first_centre(double coordinate, int limit) {
  return static_cast<int>(std::clamp(std::ceil(coordinate - 0.5), 0.0, static_cast<double>(limit)));
}

// Calls `visit(x, y)` for every pixel inside one polygon, even-odd over exterior and holes.
template <class Visit>
void scan(const Polygon& polygon, int width, int height, const Visit& visit) {
  std::vector<std::vector<double>> crossings;
  double top = height;
  double bottom = 0;
  for (const Point& p : polygon.exterior) {
    top = std::min(top, p.y);
    bottom = std::max(bottom, p.y);
  }
  const int row0 = first_centre(top, height);
  const int row1 = first_centre(bottom, height);
  if (row0 >= row1) return;
  crossings.resize(static_cast<std::size_t>(row1 - row0));
  const auto add_ring = [&](const Vertices& ring) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      Point p = ring[i];
      Point q = ring[(i + 1) % ring.size()];
      if (p.y == q.y) continue;
      if (p.y > q.y) std::swap(p, q);
      const int begin = std::max(row0, first_centre(p.y, height));
      const int end = std::min(row1, first_centre(q.y, height));
      for (int row = begin; row < end; ++row) {
        const double t = (row + 0.5 - p.y) / (q.y - p.y);
        crossings[static_cast<std::size_t>(row - row0)].push_back(p.x + t * (q.x - p.x));
      }
    }
  };
  add_ring(polygon.exterior);
  for (const Vertices& hole : polygon.holes) add_ring(hole);
  for (int row = row0; row < row1; ++row) {
    std::vector<double>& xs = crossings[static_cast<std::size_t>(row - row0)];
    std::ranges::sort(xs);
    for (std::size_t i = 0; i + 1 < xs.size(); i += 2) {
      const int end = first_centre(xs[i + 1], width);
      for (int column = first_centre(xs[i], width); column < end; ++column) visit(column, row);
    }
  }
}

// Every pixel of the drawn shape, some perhaps more than once; at least one where the shape touches the image at all.
template <class Visit>
void draw(const Geometry& geometry, int width, int height, const Visit& visit) {
  bool any = false;
  for (const Polygon& polygon : as_polygons(geometry)) {
    scan(polygon, width, height, [&](int x, int y) {
      any = true;
      visit(x, y);
    });
  }
  if (any || is_empty(geometry)) return;
  for (const Polygon& part : as_polygons(geometry)) {
    const Bounds bounds = bounds_of(make_polygon(part.exterior));
    const double cx = (bounds.x0 + bounds.x1) / 2;
    const double cy = (bounds.y0 + bounds.y1) / 2;
    if (cx >= 0 && cy >= 0 && cx < width && cy < height) visit(static_cast<int>(cx), static_cast<int>(cy));
  }
}

}  // namespace

std::vector<std::uint8_t> rasterise(const Geometry& geometry, int width, int height) {
  std::vector<std::uint8_t> pixels(index_of(0, height, width), 0);
  draw(geometry, width, height, [&](int x, int y) { pixels[index_of(x, y, width)] = 1; });
  return pixels;
}

void draw_onto(std::vector<std::uint8_t>& pixels, const Geometry& geometry, int width, int height) {
  if (pixels.size() != index_of(0, height, width)) throw InternalError("[draw_onto] an image of another size");
  draw(geometry, width, height, [&](int x, int y) { pixels[index_of(x, y, width)] = 1; });
}

std::vector<std::uint8_t> pixels_of_class(const Layout& layout, int class_index) {
  std::vector<std::uint8_t> pixels(index_of(0, layout.height, layout.width), 0);
  for (const Feature& feature : layout.features) {
    if (feature.class_index == class_index) draw_onto(pixels, feature.geometry, layout.width, layout.height);
  }
  for (std::size_t i = 0; layout.mask && i < pixels.size(); ++i) {
    if (layout.mask->values[i] == class_index) pixels[i] = 1;
  }
  return pixels;
}

DenseMask rasterise_classes(const Layout& layout, std::uint8_t background) {
  DenseMask result{layout.width, layout.height, {}};
  result.values.assign(index_of(0, layout.height, layout.width), background);
  if (layout.mask) {
    for (std::size_t i = 0; i < result.values.size(); ++i) {
      if (layout.mask->values[i] != kUnlabelled) result.values[i] = layout.mask->values[i];
    }
  }
  std::vector<double> areas;
  for (const Feature& feature : layout.features) areas.push_back(area_of(feature.geometry));
  std::vector<std::size_t> order(layout.features.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return areas[a] > areas[b]; });
  for (const std::size_t i : order) {
    const auto value = static_cast<std::uint8_t>(layout.features[i].class_index);
    draw(layout.features[i].geometry, layout.width, layout.height,
         [&](int x, int y) { result.values[index_of(x, y, layout.width)] = value; });
  }
  return result;
}

std::vector<Plane> class_coverage(const Layout& layout, int classes, int cell) {
  if (cell <= 0 || layout.width % cell != 0 || layout.height % cell != 0) {
    throw InternalError("[class_coverage] the cell does not divide the layout's size");
  }
  const int w = layout.width / cell;
  const int h = layout.height / cell;
  const float share = 1.0F / static_cast<float>(cell * cell);
  std::vector<Plane> planes(static_cast<std::size_t>(classes),
                            Plane{w, h, std::vector<float>(index_of(0, h, w), 0.0F)});
  // A pixel counts once a class, however many of the class's features cover it.
  std::vector<std::vector<std::uint8_t>> seen(static_cast<std::size_t>(classes));
  const auto mark = [&](int k, int x, int y) {
    std::vector<std::uint8_t>& pixels = seen[static_cast<std::size_t>(k)];
    if (pixels.empty()) pixels.assign(index_of(0, layout.height, layout.width), 0);
    std::uint8_t& pixel = pixels[index_of(x, y, layout.width)];
    if (pixel != 0) return;
    pixel = 1;
    planes[static_cast<std::size_t>(k)].at(x / cell, y / cell) += share;
  };
  if (layout.mask) {
    for (int y = 0; y < layout.height; ++y) {
      for (int x = 0; x < layout.width; ++x) {
        const int k = layout.mask->at(x, y);
        if (k < classes) mark(k, x, y);
      }
    }
  }
  for (const Feature& feature : layout.features) {
    if (feature.class_index < 0 || feature.class_index >= classes) {
      throw InternalError("[class_coverage] a class is not among the planes");
    }
    draw(feature.geometry, layout.width, layout.height, [&](int x, int y) { mark(feature.class_index, x, y); });
  }
  return planes;
}

}  // namespace terragen::layout
