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
constexpr double kLeastBlob = 5;    // pixels, radius of its discs
constexpr double kMostBlob = 0.12;  // of the crop's side
constexpr int kLeastCells = 6;      // of a transplant

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
  const double larger = std::max(cut.bounds.width(), cut.bounds.height());
  for (int disc = 0; disc < 6; ++disc) {
    const double radius = random.uniform(0.15, 0.4) * larger;
    const double y = random.uniform(cut.bounds.y0, cut.bounds.y1);
    const double x = random.uniform(cut.bounds.x0, cut.bounds.x1);
    shards::draw_disc(hole, x, y, radius);
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

// A blob about a pixel drawn at random, of that pixel's class where a mask says it.
std::optional<Cut> cut_ground(const layout::Layout& layout, Random& random) {
  const std::int64_t width = layout.width;
  const std::int64_t height = layout.height;
  const auto x = static_cast<int>(random.below(width));
  const auto y = static_cast<int>(random.below(height));
  if (layout.mask && layout.mask->at(x, y) == layout::kUnlabelled) return {};
  torch::Tensor blob = torch::zeros({height, width});
  const double most = std::max(kLeastBlob, kMostBlob * static_cast<double>(std::min(width, height)));
  const double radius = kLeastBlob * std::pow(most / kLeastBlob, random.uniform());
  for (int disc = 0; disc < 5; ++disc) {
    const double about_x = x + (disc == 0 ? 0 : random.uniform(-1.2, 1.2) * radius);
    const double about_y = y + (disc == 0 ? 0 : random.uniform(-1.2, 1.2) * radius);
    shards::draw_disc(blob, about_x, about_y, radius);
  }
  if (layout.mask) {
    std::vector<std::uint8_t> alike(layout.mask->values.size());
    std::ranges::transform(layout.mask->values, alike.begin(),
                           [&](std::uint8_t value) -> std::uint8_t { return value == layout.mask->at(x, y); });
    blob *= shards::mask_from_pixels(alike, layout.width, layout.height);
  }
  return Cut{{}, blob, {}};
}

std::optional<Cut> cut_thing(const layout::Layout& layout, Random& random) {
  return layout.mask ? cut_region(layout, random) : cut_feature(layout, random);
}

// What of each cell was measured, and labelled where there is a mask: [S / cell, S / cell] bool, 1 where all of it.
torch::Tensor known_cells(const shards::Batch& batch, std::int64_t index, int cell) {
  const torch::Tensor known =
      batch.valid[index] * shards::labelled_mask(batch.layouts[static_cast<std::size_t>(index)]);
  return at::avg_pool2d(known, {cell, cell})[0].gt(0.999);
}

layout::Bounds bounds_of_mask(const torch::Tensor& mask) {
  const torch::Tensor rows = mask.amax(1).nonzero();
  const torch::Tensor columns = mask.amax(0).nonzero();
  return {columns.min().item<double>(), rows.min().item<double>(), columns.max().item<double>() + 1,
          rows.max().item<double>() + 1};
}

// Lays something of sample `from` into sample `to` of the draw, in whole cells; false where nothing was fit.
bool transplant(const shards::Batch& batch, std::int64_t to, std::int64_t from, const ReferenceDrawOptions& options,
                Random& random, ReferenceDraw& draw) {
  const layout::Layout& donor = batch.layouts[static_cast<std::size_t>(from)];
  std::optional<Cut> cut;
  if (random.chance(0.5)) cut = cut_thing(donor, random);
  if (!cut) cut = cut_ground(donor, random);
  if (!cut) return false;
  const int cell = options.cell;
  const torch::Tensor cells =
      at::avg_pool2d(cut->mask.unsqueeze(0), {cell, cell})[0].gt(0.5).logical_and(known_cells(batch, from, cell));
  if (cells.sum().item<std::int64_t>() < kLeastCells) return false;
  const layout::Bounds bounds = bounds_of_mask(cells.to(torch::kFloat32));
  const auto shift = [&](double low, double high, std::int64_t size) {
    return random.below(size - static_cast<std::int64_t>(high - low) + 1) - static_cast<std::int64_t>(low);
  };
  Transplant moved{.to = to, .from = from};
  moved.dx = shift(bounds.x0, bounds.x1, cells.size(1));
  moved.dy = shift(bounds.y0, bounds.y1, cells.size(0));
  const auto pixels = [&](const torch::Tensor& of_cells) {
    return of_cells.to(torch::kFloat32).repeat_interleave(cell, 0).repeat_interleave(cell, 1);
  };
  const torch::Tensor there = pixels(cells);
  // What is shifted out comes back in on the other side, and is nothing.
  moved.cells = cells.roll({moved.dy, moved.dx}, {0, 1});
  const torch::Tensor here = pixels(moved.cells);
  const torch::Tensor picture = shards::reference_picture(batch.images[from], there, options.picture);
  draw.pictures[to] = altered_picture(picture, random);
  draw.paint[to] = at::max_pool2d(hole_about({bounds_of_mask(here), here, {}}, random).unsqueeze(0), {cell, cell});
  shards::label_region(draw.layouts[static_cast<std::size_t>(to)], here, options.class_index);
  draw.transplants.push_back(std::move(moved));
  return true;
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
    if (n > 1 && options.transplants > 0 && random.chance(options.transplants)) {
      draw.present[i] = transplant(batch, i, (i + 1 + random.below(n - 1)) % n, options, random, draw);
      continue;
    }
    layout::Layout& layout = draw.layouts[static_cast<std::size_t>(i)];
    const std::optional<Cut> cut = cut_thing(layout, random);
    if (!cut) continue;
    draw.present[i] = true;
    draw.pictures[i] = altered_picture(shards::reference_picture(batch.images[i], cut->mask, options.picture), random);
    draw.paint[i] = at::max_pool2d(hole_about(*cut, random).unsqueeze(0), {options.cell, options.cell});
    if (cut->feature) {
      layout.features[*cut->feature].class_index = options.class_index;
      continue;
    }
    shards::label_region(layout, cut->mask, options.class_index);
  }
  return draw;
}

torch::Tensor transplanted(const torch::Tensor& latents, const std::vector<Transplant>& transplants) {
  if (transplants.empty()) return latents;
  torch::Tensor result = latents.clone();
  for (const Transplant& one : transplants) {
    const torch::Tensor moved = latents[one.from].roll({one.dy, one.dx}, {1, 2});
    result[one.to] = torch::where(one.cells.to(latents.device()), moved, latents[one.to]);
  }
  return result;
}

}  // namespace terragen::training
