#include "terragen/synthesis/placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/synthesis/pixel_distance.h"

namespace terragen::synthesis {
namespace {

// Discs that should fit, of the thing's radius, and what each is worth.
constexpr std::array<double, 3> kDiscs{0.5, 1.0, 1.5};
constexpr std::array<double, 3> kDiscWeights{0.25, 0.5, 0.25};
constexpr int kDirections = 16;         // tried where the image's lines decide
constexpr int kPlacesTried = 48;        // for one thing
constexpr int kTries = 4;               // draws of a footprint for every thing that is wanted
constexpr double kLeastSidePixels = 3;  // a smaller thing cannot be painted

// Turned by `angle` about its box's centre, resized, and moved so that this centre comes to (x, y).
layout::Affine pose(const layout::OrientedBox& box, double angle, double factor, double x, double y) {
  const double c = factor * std::cos(angle);
  const double s = factor * std::sin(angle);
  return {.a = c, .b = -s, .c = x - c * box.cx + s * box.cy, .d = s, .e = c, .f = y - s * box.cx - c * box.cy};
}

}  // namespace

void PlacementOptions::validate() const {
  if (most < 1) throw RequestError(std::format("{} things in a scene are none", most));
  require_share("least_score", least_score);
  if (!(size_jitter >= 1)) throw RequestError(std::format("size_jitter is {}, it must be at least 1", size_jitter));
}

PlacementMap::PlacementMap(const shards::Sample& scene, const layout::PlacementRule& rule,
                           const GroundLikeness* likeness)
    : scene_(scene), rule_(rule) {
  const layout::Layout& layout = scene.layout;
  if (rule.least_likeness > 0 && likeness == nullptr) {
    throw InternalError("[PlacementMap] the rule asks what the ground looks like, and nothing tells");
  }
  occupied_.assign(static_cast<std::size_t>(layout.width) * static_cast<std::size_t>(layout.height), 0);
  ground_ = occupied_;
  for (const layout::Feature& feature : layout.features) {
    const bool is_ground = std::ranges::find(rule.ground, feature.class_index) != rule.ground.end();
    layout::draw_onto(is_ground ? ground_ : occupied_, feature.geometry, layout.width, layout.height);
  }
  find_allowed(likeness);
  keep_neighbours();
  distance_ = distance_to_edge(allowed_, layout.width, layout.height);
  if (rule.direction == layout::PlacementDirection::structure) structure_ = structure_field(scene.image);
}

double PlacementMap::pixels_from_metres(double metres) const { return metres / scene_.layout.gsd.value_or(1.0); }

void PlacementMap::find_allowed(const GroundLikeness* likeness) {
  const layout::Layout& layout = scene_.layout;
  const layout::Plane to_features = pixel_distance(occupied_, layout.width, layout.height);
  const layout::Plane like = rule_.least_likeness > 0 ? likeness->of(scene_.image) : layout::Plane{};
  const torch::Tensor valid = scene_.valid.contiguous();
  const auto* measured = valid.const_data_ptr<float>();
  const double spacing = pixels_from_metres(rule_.spacing);
  const bool any_ground = rule_.ground.empty();
  allowed_.assign(occupied_.size(), 0);
  for (std::size_t i = 0; i < occupied_.size(); ++i) {
    const std::uint8_t ground = layout.mask ? layout.mask->values[i] : layout::kUnlabelled;
    const bool named =
        ground_[i] != 0 || (ground == layout::kUnlabelled
                                ? rule_.unlabelled_ground
                                : any_ground || std::ranges::find(rule_.ground, int{ground}) != rule_.ground.end());
    const bool alike = rule_.least_likeness == 0 || static_cast<double>(like.values[i]) >= rule_.least_likeness;
    const bool free = static_cast<double>(to_features.values[i]) > spacing;  // never so where it is occupied
    allowed_[i] = named && alike && free && measured[i] > 0 ? 1 : 0;
  }
}

void PlacementMap::keep_neighbours() {
  const layout::Layout& layout = scene_.layout;
  for (const layout::NeighbourRule& neighbour : rule_.neighbours) {
    const layout::Plane distance =
        pixel_distance(layout::pixels_of_class(layout, neighbour.class_index), layout.width, layout.height);
    const double least = pixels_from_metres(neighbour.least);
    const double most = pixels_from_metres(neighbour.most);
    for (std::size_t i = 0; i < allowed_.size(); ++i) {
      const auto away = static_cast<double>(distance.values[i]);
      if (away < least) allowed_[i] = 0;
    }
    if (std::isfinite(most)) near_.push_back({most, distance});
  }
}

layout::Plane PlacementMap::score(double width) const {
  layout::Plane result = distance_;
  const double most = static_cast<double>(*std::ranges::max_element(distance_.values));
  const double radius = width / 2;
  for (float& value : result.values) {
    const auto distance = static_cast<double>(value);
    double fit = 0;
    for (std::size_t k = 0; k < kDiscs.size(); ++k) fit += distance >= kDiscs[k] * radius ? kDiscWeights[k] : 0;
    value = most > 0 ? static_cast<float>(fit * distance / most) : 0.0F;
  }
  return result;
}

double PlacementMap::along(double direction, int x, int y) const {
  if (rule_.direction == layout::PlacementDirection::any) return 1;
  const double between = direction - static_cast<double>(structure_.direction.at(x, y));
  return std::max(0.0, std::cos(2 * between)) * static_cast<double>(structure_.coherence.at(x, y));
}

bool PlacementMap::fits(const std::vector<std::uint8_t>& drawn, bool anywhere) const {
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    if (drawn[i] != 0 && (occupied_[i] != 0 || (!anywhere && allowed_[i] == 0))) return false;
  }
  if (anywhere) return true;
  const auto is_near = [&](const Near& near) {
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (drawn[i] != 0 && static_cast<double>(near.distance.values[i]) <= near.most) return true;
    }
    return false;
  };
  return std::ranges::all_of(near_, is_near);
}

bool PlacementMap::is_in_reach(std::size_t pixel, double length) const {
  return std::ranges::all_of(near_, [&](const Near& near) {
    return static_cast<double>(near.distance.values[pixel]) <= near.most + length / 2;
  });
}

std::optional<PlacementMap::Place> PlacementMap::place_one(const Footprint& footprint, const PlacementOptions& options,
                                                           Random& random) const {
  const layout::Layout& layout = scene_.layout;
  const layout::OrientedBox box = layout::minimum_oriented_box(footprint.geometry);
  const double to_scene = footprint.gsd && layout.gsd ? *footprint.gsd / *layout.gsd : 1.0;
  const double wanted = to_scene * box.width * std::pow(options.size_jitter, random.uniform(-1.0, 1.0));
  const double length =
      options.anywhere ? wanted
                       : std::clamp(wanted, pixels_from_metres(rule_.least_size), pixels_from_metres(rule_.most_size));
  const double factor = length / box.width;
  if (!(box.width > 0) || !(box.height * factor >= kLeastSidePixels)) return {};
  const layout::Plane score =
      options.anywhere ? layout::Plane{layout.width, layout.height, std::vector<float>(occupied_.size(), 1.0F)}
                       : this->score(box.height * factor);
  std::vector<double> cumulative(score.values.size());
  double sum = 0;
  for (std::size_t i = 0; i < cumulative.size(); ++i) {
    const auto value = static_cast<double>(score.values[i]);
    const bool may = value >= options.least_score && (options.anywhere || is_in_reach(i, length));
    cumulative[i] = sum += may ? value : 0;
  }
  if (sum == 0) return {};
  for (int attempt = 0; attempt < kPlacesTried; ++attempt) {
    const auto at = std::ranges::upper_bound(cumulative, random.uniform() * sum) - cumulative.begin();
    const auto x = static_cast<int>(at % layout.width);
    const auto y = static_cast<int>(at / layout.width);
    double best = random.uniform(-std::numbers::pi / 2, std::numbers::pi / 2);
    if (!options.anywhere && rule_.direction == layout::PlacementDirection::structure) {
      for (int k = 0; k < kDirections; ++k) {
        const double direction = std::numbers::pi * k / kDirections - std::numbers::pi / 2;
        if (along(direction, x, y) > along(best, x, y)) best = direction;
      }
    }
    const double half_turn = random.chance(0.5) ? std::numbers::pi : 0.0;
    const layout::Affine map = pose(box, best + half_turn - box.angle, factor, x + 0.5, y + 0.5);
    Placement placement{
        .scene_from_footprint = map, .geometry = layout::transform(footprint.geometry, map), .score = 0};
    const layout::Bounds bounds = layout::bounds_of(placement.geometry);
    if (bounds.x0 < 0 || bounds.y0 < 0 || bounds.x1 > layout.width || bounds.y1 > layout.height) continue;
    std::vector<std::uint8_t> drawn = layout::rasterise(placement.geometry, layout.width, layout.height);
    if (!fits(drawn, options.anywhere)) continue;
    placement.score = static_cast<double>(score.at(x, y)) * (options.anywhere ? 1.0 : along(best, x, y));
    return Place{std::move(placement), std::move(drawn)};
  }
  return {};
}

std::vector<Placement> PlacementMap::place(const std::vector<Footprint>& footprints, const PlacementOptions& options,
                                           Random& random) {
  options.validate();
  if (footprints.empty()) throw InternalError("[PlacementMap] there is nothing to be placed");
  const layout::Layout& layout = scene_.layout;
  std::vector<Placement> placed;
  for (int i = 0; i < kTries * options.most && std::ssize(placed) < options.most; ++i) {
    const auto chosen = static_cast<std::size_t>(random.below(std::ssize(footprints)));
    std::optional<Place> place = place_one(footprints[chosen], options, random);
    if (!place) continue;
    const layout::Plane away = pixel_distance(place->drawn, layout.width, layout.height);
    const double spacing = pixels_from_metres(rule_.spacing);
    for (std::size_t k = 0; k < occupied_.size(); ++k) {
      occupied_[k] |= place->drawn[k];
      if (static_cast<double>(away.values[k]) <= spacing) allowed_[k] = 0;
    }
    distance_ = distance_to_edge(allowed_, layout.width, layout.height);
    placed.push_back(std::move(place->placement));
    placed.back().footprint = chosen;
  }
  return placed;
}

}  // namespace terragen::synthesis
