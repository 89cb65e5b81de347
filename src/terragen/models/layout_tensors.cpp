#include "terragen/models/layout_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"

namespace terragen::models {
namespace {

constexpr float kEdgeLimit = 32.0F;  // pixels

// What one layout says, before it is padded to the batch's longest.
struct Tokens {
  std::vector<std::int64_t> classes;
  std::vector<std::int64_t> kinds;
  std::vector<float> boxes;      // 8 each
  std::vector<float> vertices;   // 32 each
  std::vector<float> areas;      // square pixels
  std::vector<float> distances;  // h * w each
};

std::size_t cells(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

void add_feature(Tokens& tokens, const layout::Feature& feature, const layout::Layout& whole, int cell,
                 std::vector<float>& signed_distances) {
  const auto width = static_cast<float>(whole.width);
  const auto height = static_cast<float>(whole.height);
  tokens.classes.push_back(feature.class_index);
  tokens.kinds.push_back(static_cast<std::int64_t>(feature.geometry.kind));
  const layout::Geometry box = layout::make_oriented_box(layout::minimum_oriented_box(feature.geometry));
  for (const layout::Point& corner : box.parts.front().exterior) {
    tokens.boxes.push_back(static_cast<float>(corner.x) / width);
    tokens.boxes.push_back(static_cast<float>(corner.y) / height);
  }
  for (const layout::Point& vertex : layout::resample_vertices(feature.geometry, kTokenVertices)) {
    tokens.vertices.push_back(static_cast<float>(vertex.x) / width);
    tokens.vertices.push_back(static_cast<float>(vertex.y) / height);
  }
  tokens.areas.push_back(static_cast<float>(std::max(1.0, layout::area_of(feature.geometry))));
  const layout::Plane distance = layout::signed_distance(feature.geometry, whole.width, whole.height, cell);
  signed_distances = distance.values;
  for (const float value : distance.values) tokens.distances.push_back(std::max(0.0F, value) / width);
}

void add_dense_class(Tokens& tokens, int class_index, double pixels, std::size_t latent_cells) {
  tokens.classes.push_back(class_index);
  tokens.kinds.push_back(kNoGeometryKind);
  tokens.boxes.insert(tokens.boxes.end(), 8, 0.0F);
  tokens.vertices.insert(tokens.vertices.end(), 2 * kTokenVertices, 0.0F);
  tokens.areas.push_back(static_cast<float>(pixels));
  tokens.distances.insert(tokens.distances.end(), latent_cells, 0.0F);
}

std::vector<float> class_pixels(const std::vector<layout::Plane>& coverage, int cell) {
  std::vector<float> pixels;
  for (const layout::Plane& plane : coverage) {
    pixels.push_back(std::accumulate(plane.values.begin(), plane.values.end(), 0.0F) * static_cast<float>(cell * cell));
  }
  return pixels;
}

float boost(float median, float area, double exponent) {
  return std::clamp(std::pow(median / std::max(1.0F, area), static_cast<float>(exponent)), 1.0F, 8.0F);
}

float median_of(std::vector<float> values) {
  if (values.empty()) return 1.0F;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Encoded {
  Tokens tokens;
  std::vector<layout::Plane> coverage;
  layout::Plane edges;
  std::vector<float> weight;  // h * w
};

Encoded encode(const layout::Layout& layout, const LayoutTensorOptions& options) {
  Encoded result;
  const int cell = options.latent_cell;
  const int w = layout.width / cell;
  const int h = layout.height / cell;
  result.coverage = layout::class_coverage(layout, options.classes, options.raster_cell);
  result.edges = layout::nearest_edge_distance(layout, options.raster_cell, kEdgeLimit);
  result.weight.assign(cells(w, h), 0.0F);

  // What is drawn but gets no token of its own still counts as an object in the loss: by its class.
  std::vector<float> weight_of_class(static_cast<std::size_t>(options.classes), 1.0F);
  if (layout.mask) {
    const std::vector<float> pixels = class_pixels(result.coverage, options.raster_cell);
    std::vector<float> present;
    std::ranges::copy_if(pixels, std::back_inserter(present), [](float p) { return p > 0; });
    const float median = median_of(present);
    for (int k = 0; k < options.classes; ++k) {
      const float area = pixels[static_cast<std::size_t>(k)];
      if (area <= 0) continue;
      add_dense_class(result.tokens, k, static_cast<double>(area), cells(w, h));
      weight_of_class[static_cast<std::size_t>(k)] = boost(median, area, options.weight_exponent);
    }
  }
  const int step = cell / options.raster_cell;
  for (int k = 0; k < options.classes; ++k) {
    const layout::Plane& plane = result.coverage[static_cast<std::size_t>(k)];
    for (int y = 0; y < plane.height; ++y) {
      for (int x = 0; x < plane.width; ++x) {
        if (plane.at(x, y) < 0.5F) continue;
        float& value = result.weight[cells(y / step, w) + static_cast<std::size_t>(x / step)];
        value = std::max(value, weight_of_class[static_cast<std::size_t>(k)]);
      }
    }
  }

  std::vector<std::size_t> order(layout.features.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> areas;
  for (const layout::Feature& feature : layout.features) areas.push_back(layout::area_of(feature.geometry));
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return areas[a] > areas[b]; });
  const auto used = std::max<std::ptrdiff_t>(0, options.max_features - std::ssize(result.tokens.classes));
  if (std::ssize(order) > used) order.resize(static_cast<std::size_t>(used));

  std::vector<float> all_areas(areas.begin(), areas.end());
  const float median = median_of(all_areas);
  std::vector<float> distances;
  for (const std::size_t index : order) {
    add_feature(result.tokens, layout.features[index], layout, cell, distances);
    const float gain = boost(median, static_cast<float>(areas[index]), options.weight_exponent);
    for (std::size_t p = 0; p < distances.size(); ++p) {
      // A cell belongs to the object when the edge runs through it or it lies inside.
      if (distances[p] < 0.5F * static_cast<float>(cell)) result.weight[p] = std::max(result.weight[p], gain);
    }
  }
  return result;
}

torch::Tensor copy_of(const std::vector<float>& values, torch::IntArrayRef shape) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  std::memcpy(tensor.data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return tensor;
}

torch::Tensor copy_of(const std::vector<std::int64_t>& values, torch::IntArrayRef shape) {
  torch::Tensor tensor = torch::empty(shape, torch::kInt64);
  std::memcpy(tensor.data_ptr<std::int64_t>(), values.data(), values.size() * sizeof(std::int64_t));
  return tensor;
}

}  // namespace

LayoutTensors LayoutTensors::to(const torch::Device& device) const {
  LayoutTensors moved = *this;
  for (torch::Tensor* tensor : {&moved.coverage, &moved.edge_distance, &moved.token_class, &moved.token_kind,
                                &moved.token_box, &moved.token_vertices, &moved.token_area, &moved.token_mask,
                                &moved.token_distance, &moved.task, &moved.gsd, &moved.object_weight}) {
    *tensor = tensor->to(device);
  }
  return moved;
}

LayoutTensors layout_tensors(std::span<const layout::Layout> layouts, const LayoutTensorOptions& options) {
  if (layouts.empty()) throw InternalError("[layout_tensors] no layouts");
  const int width = layouts.front().width;
  const int height = layouts.front().height;
  if (width % options.latent_cell != 0 || height % options.latent_cell != 0 ||
      options.latent_cell % options.raster_cell != 0) {
    throw InternalError("[layout_tensors] the size is no multiple of the latent's cell");
  }
  std::vector<Encoded> encoded;
  std::size_t longest = 1;
  for (const layout::Layout& layout : layouts) {
    if (layout.width != width || layout.height != height) throw InternalError("[layout_tensors] sizes differ");
    encoded.push_back(encode(layout, options));
    longest = std::max(longest, encoded.back().tokens.classes.size());
  }

  const auto n = static_cast<std::int64_t>(layouts.size());
  const auto m = static_cast<std::int64_t>(longest);
  const std::int64_t h = height / options.latent_cell;
  const std::int64_t w = width / options.latent_cell;
  const std::int64_t hr = height / options.raster_cell;
  const std::int64_t wr = width / options.raster_cell;
  LayoutTensors result;
  result.coverage = torch::zeros({n, options.classes, hr, wr});
  result.edge_distance = torch::zeros({n, 1, hr, wr});
  result.token_class = torch::zeros({n, m}, torch::kInt64);
  result.token_kind = torch::zeros({n, m}, torch::kInt64);
  result.token_box = torch::zeros({n, m, 8});
  result.token_vertices = torch::zeros({n, m, 2 * kTokenVertices});
  result.token_area = torch::zeros({n, m});
  result.token_mask = torch::zeros({n, m}, torch::kBool);
  result.token_distance = torch::zeros({n, m, h, w});
  result.task = torch::full({n}, static_cast<std::int64_t>(options.tasks.size()), torch::kInt64);
  result.gsd = torch::zeros({n, 2});
  result.object_weight = torch::zeros({n, 1, h, w});
  for (std::int64_t i = 0; i < n; ++i) {
    const layout::Layout& layout = layouts[static_cast<std::size_t>(i)];
    Encoded& one = encoded[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < options.classes; ++k) {
      result.coverage[i][k].copy_(copy_of(one.coverage[static_cast<std::size_t>(k)].values, {hr, wr}));
    }
    result.edge_distance[i][0].copy_(copy_of(one.edges.values, {hr, wr}) / static_cast<double>(kEdgeLimit));
    result.object_weight[i][0].copy_(copy_of(one.weight, {h, w}));
    if (const auto found = std::ranges::find(options.tasks, layout.task); found != options.tasks.end()) {
      result.task[i] = static_cast<std::int64_t>(found - options.tasks.begin());
    }
    if (layout.gsd) {
      result.gsd[i][0] = std::log10(*layout.gsd);
      result.gsd[i][1] = 1.0;
    }
    const auto count = static_cast<std::int64_t>(one.tokens.classes.size());
    if (count == 0) continue;
    const torch::indexing::Slice used(0, count);
    result.token_class.index_put_({i, used}, copy_of(one.tokens.classes, {count}));
    result.token_kind.index_put_({i, used}, copy_of(one.tokens.kinds, {count}));
    result.token_box.index_put_({i, used}, copy_of(one.tokens.boxes, {count, 8}));
    result.token_vertices.index_put_({i, used}, copy_of(one.tokens.vertices, {count, 2 * kTokenVertices}));
    const double square_metres = layout.gsd ? *layout.gsd * *layout.gsd : 1.0;
    result.token_area.index_put_({i, used}, (copy_of(one.tokens.areas, {count}) * square_metres).log10());
    result.token_mask.index_put_({i, used}, true);
    result.token_distance.index_put_({i, used}, copy_of(one.tokens.distances, {count, h, w}));
  }
  return result;
}

}  // namespace terragen::models
