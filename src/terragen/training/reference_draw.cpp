#include "terragen/training/reference_draw.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "terragen/core/seed.h"
#include "terragen/layout/things.h"
#include "terragen/shards/augment.h"
#include "terragen/shards/drawn_mask.h"
#include "terragen/shards/reference_picture.h"
#include "terragen/training/colour_jitter.h"

namespace terragen::training {
namespace {

constexpr double kLeastSide = 8;     // pixels
constexpr double kMostOfCrop = 0.4;  // of its area
constexpr double kMostGrowth = 0.2;  // of the room beside the box
constexpr int kLeastRegion = 64;     // pixels of a dense mask's region
constexpr double kColourJitter = 0.15;

// A thing and where its class is written: a feature's index, or the dense mask.
struct Cut {
  layout::Bounds bounds;
  torch::Tensor mask;  // [S, S] float32
  std::optional<std::size_t> feature;
};

bool is_fit(const layout::Bounds& bounds, double area, const layout::Layout& layout) {
  return bounds.x0 >= 0 && bounds.y0 >= 0 && bounds.x1 <= layout.width && bounds.y1 <= layout.height &&
         bounds.width() >= kLeastSide && bounds.height() >= kLeastSide &&
         area <= kMostOfCrop * static_cast<double>(layout.width) * static_cast<double>(layout.height);
}

std::optional<Cut> cut_feature(const layout::Layout& layout, Random& random) {
  std::vector<std::size_t> fit;
  for (std::size_t i = 0; i < layout.features.size(); ++i) {
    const layout::Feature& feature = layout.features[i];
    if (!feature.crowd && is_fit(layout::bounds_of(feature.geometry), layout::area_of(feature.geometry), layout)) {
      fit.push_back(i);
    }
  }
  if (fit.empty()) return {};
  const std::size_t chosen = fit[static_cast<std::size_t>(random.below(std::ssize(fit)))];
  const layout::Geometry& geometry = layout.features[chosen].geometry;
  return Cut{layout::bounds_of(geometry), shards::drawn_mask(geometry, layout.width, layout.height), chosen};
}

std::optional<Cut> cut_region(const layout::Layout& layout, Random& random) {
  std::vector<std::uint8_t> classes;
  for (const std::uint8_t value : layout.mask->values) {
    if (value != layout::kUnlabelled && std::ranges::find(classes, value) == classes.end()) classes.push_back(value);
  }
  if (classes.empty()) return {};
  const std::uint8_t chosen = classes[static_cast<std::size_t>(random.below(std::ssize(classes)))];
  std::vector<layout::Geometry> regions = layout::things_of(layout, chosen, kLeastRegion);
  shuffle(regions, random);
  for (const layout::Geometry& region : regions) {
    const layout::Bounds bounds = layout::bounds_of(region);
    if (is_fit(bounds, layout::area_of(region), layout)) {
      return Cut{bounds, shards::drawn_mask(region, layout.width, layout.height), {}};
    }
  }
  return {};
}

// What is to be painted: [S, S], 1 over the thing and about it.
torch::Tensor hole_about(const Cut& cut, Random& random) {
  torch::Tensor hole = cut.mask.clone();
  const auto size_y = static_cast<double>(hole.size(0));
  const auto size_x = static_cast<double>(hole.size(1));
  if (random.chance(0.5)) {
    const auto low = [&](double edge) { return edge - random.uniform(0, kMostGrowth) * edge; };
    const auto high = [&](double edge, double size) { return edge + random.uniform(0, kMostGrowth) * (size - edge); };
    const auto y0 = static_cast<std::int64_t>(low(cut.bounds.y0));
    const auto x0 = static_cast<std::int64_t>(low(cut.bounds.x0));
    const auto y1 = static_cast<std::int64_t>(std::ceil(high(cut.bounds.y1, size_y)));
    const auto x1 = static_cast<std::int64_t>(std::ceil(high(cut.bounds.x1, size_x)));
    hole.slice(0, y0, y1).slice(1, x0, x1).fill_(1);
    return hole;
  }
  const torch::Tensor ys = torch::arange(hole.size(0)).view({-1, 1}).to(torch::kFloat32);
  const torch::Tensor xs = torch::arange(hole.size(1)).view({1, -1}).to(torch::kFloat32);
  const double larger = std::max(cut.bounds.width(), cut.bounds.height());
  for (int disc = 0; disc < 6; ++disc) {
    const double radius = random.uniform(0.15, 0.4) * larger;
    const double y = random.uniform(cut.bounds.y0, cut.bounds.y1);
    const double x = random.uniform(cut.bounds.x0, cut.bounds.x1);
    hole.masked_fill_(((ys - y).square() + (xs - x).square()).lt(radius * radius), 1.0);
  }
  return hole;
}

// Turned, mirrored, brighter or darker.
torch::Tensor altered_picture(const torch::Tensor& picture, Random& random) {
  const std::int64_t bands = picture.size(0) - 1;
  shards::Sample sample;
  sample.image = picture;
  sample.valid = picture[0];
  sample.layout.width = static_cast<int>(picture.size(2));
  sample.layout.height = static_cast<int>(picture.size(1));
  const torch::Tensor turned = shards::turned(sample, static_cast<unsigned>(random.below(8))).image;
  const torch::Tensor colours = turned.slice(0, 0, bands).unsqueeze(0);
  const auto seed = static_cast<std::uint64_t>(random.below(std::int64_t{1} << 40));
  return torch::cat({colour_jittered(colours, kColourJitter, seed)[0].clamp(-1.0, 1.0), turned.slice(0, bands)});
}

}  // namespace

ReferenceDraw draw_references(const shards::Batch& batch, const ReferenceDrawOptions& options, std::uint64_t seed) {
  const std::int64_t n = batch.images.size(0);
  const std::int64_t bands = batch.images.size(1);
  ReferenceDraw draw{
      .present = torch::zeros({n}, torch::kBool),
      .pictures = torch::zeros({n, bands + 1, options.picture, options.picture}),
      .paint = torch::ones({n, 1, batch.images.size(2) / options.cell, batch.images.size(3) / options.cell}),
      .layouts = batch.layouts};
  for (std::int64_t i = 0; i < n; ++i) {
    Random random(derive_seed(seed, static_cast<std::uint64_t>(i)));
    if (!random.chance(options.share)) continue;
    layout::Layout& layout = draw.layouts[static_cast<std::size_t>(i)];
    const std::optional<Cut> cut = layout.mask ? cut_region(layout, random) : cut_feature(layout, random);
    if (!cut) continue;
    draw.present[i] = true;
    draw.pictures[i] = altered_picture(shards::reference_picture(batch.images[i], cut->mask, options.picture), random);
    draw.paint[i] = at::max_pool2d(hole_about(*cut, random).unsqueeze(0), {options.cell, options.cell});
    if (cut->feature) {
      layout.features[*cut->feature].class_index = options.class_index;
      continue;
    }
    const auto* inside = cut->mask.const_data_ptr<float>();
    for (std::size_t k = 0; k < layout.mask->values.size(); ++k) {
      if (inside[k] != 0) layout.mask->values[k] = static_cast<std::uint8_t>(options.class_index);
    }
  }
  return draw;
}

}  // namespace terragen::training
