#include "terragen/synthesis/rule_learning.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "terragen/core/error.h"
#include "terragen/layout/class_pixels.h"
#include "terragen/layout/rasterise.h"
#include "terragen/layout/things.h"
#include "terragen/synthesis/pixel_distance.h"
#include "terragen/synthesis/reference_set.h"
#include "terragen/synthesis/structure_tensor.h"

namespace terragen::synthesis {
namespace {

constexpr int kRing = 8;                   // pixels
constexpr double kLeastGroundShare = 0.1;  // of the ring, and of the things
constexpr double kHardlyByChance = 0.1;
constexpr std::size_t kTellingThings = 5;
constexpr std::size_t kEveryPixel = 16;  // that tells how near a class is anyway
constexpr double kTellingLikeness = 0.05;
constexpr double kTellingAgreement = 0.3;

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  const double at = share * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  // Where a class is absent its distance is infinite, and infinity times 0 would be no number.
  if (!std::isfinite(values[high])) return at > static_cast<double>(low) ? values[high] : values[low];
  return values[low] + (at - std::floor(at)) * (values[high] - values[low]);
}

// All that is measured about the things of one class.
class Learning {
 public:
  Learning(int class_index, const GroundShares& shares)
      : class_index_(class_index), classes_(static_cast<int>(shares.classes.size())), shares_(shares) {}

  void look_at(const shards::Sample& sample) {
    const layout::Layout& layout = sample.layout;
    const std::vector<layout::Geometry> things = layout::things_of(layout, class_index_);
    if (things.empty()) return;
    dense_ = dense_ || layout.mask.has_value();
    const double metres = layout.gsd.value_or(1.0);
    const StructureField structure = structure_field(sample.image);
    std::map<int, layout::Plane> distances;
    for (int k = 0; k < classes_; ++k) {
      if (k == class_index_) continue;
      distances.emplace(k, pixel_distance(layout::pixels_of_class(layout, k), layout.width, layout.height));
    }
    for (const auto& [k, plane] : distances) {
      for (std::size_t i = 0; i < plane.values.size(); i += kEveryPixel) {
        anywhere_[k].push_back(static_cast<double>(plane.values[i]) * metres);
      }
    }
    // Lakes and woods are placed in pieces, whose sizes these are.
    for (const layout::Geometry& piece : placeable_things(layout, class_index_)) {
      sizes_.push_back(layout::minimum_oriented_box(piece).width * metres);
    }
    for (const layout::Geometry& thing : things) {
      const layout::OrientedBox box = layout::minimum_oriented_box(thing);
      extents_.push_back(box.width * metres);
      const std::vector<std::uint8_t> drawn = layout::rasterise(thing, layout.width, layout.height);
      look_about(layout, drawn);
      const auto nearest = [&](const layout::Plane& plane) {
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < drawn.size(); ++i) {
          if (drawn[i] != 0) least = std::min(least, static_cast<double>(plane.values[i]));
        }
        return least * metres;
      };
      for (const auto& [k, plane] : distances) neighbours_[k].push_back(nearest(plane));
      const layout::Plane others = pixel_distance(features_but(layout, thing), layout.width, layout.height);
      if (const double away = nearest(others); std::isfinite(away)) spacings_.push_back(away);
      if (box.width >= 1.5 * box.height) directions_.push_back(agreement(structure, box));
    }
  }

  layout::PlacementRule rule() const {
    if (extents_.empty()) throw RequestError("the examples show nothing of the class");
    const std::vector<double>& sizes = sizes_.empty() ? extents_ : sizes_;
    layout::PlacementRule rule;
    for (int k = 0; k < classes_ && dense_; ++k) {
      if (k != class_index_ && is_ground(k, shares_.classes[static_cast<std::size_t>(k)])) rule.ground.push_back(k);
    }
    rule.unlabelled_ground =
        !dense_ || rule.ground.empty() || shares_.unlabelled == 1 || is_ground(layout::kUnlabelled, shares_.unlabelled);
    rule.least_size = 0.8 * quantile(sizes, 0.05);
    rule.most_size = 1.25 * quantile(sizes, 0.95);
    if (!spacings_.empty()) rule.spacing = 0.5 * quantile(spacings_, 0.05);
    if (extents_.size() >= kTellingThings) {
      const double size = quantile(extents_, 0.5);
      const double near = 2 * size;
      for (const auto& [k, away] : neighbours_) {
        const double usual = quantile(away, 0.9);
        // A class that covers half of an example is near to whatever lies there.
        const bool by_chance = usual + size / 2 > quantile(anywhere_.at(k), 0.5);
        if (things_on(k) > 0 || by_chance || usual > near) continue;
        rule.neighbours.push_back({k, 0, std::min(near, quantile(away, 0.95))});
      }
    }
    double sum = 0;
    for (const double one : directions_) sum += one;
    if (directions_.size() >= kTellingThings && sum >= kTellingAgreement * static_cast<double>(directions_.size())) {
      rule.direction = layout::PlacementDirection::structure;
    }
    if (!dense_) rule.least_likeness = kTellingLikeness;
    return rule;
  }

 private:
  void look_about(const layout::Layout& layout, const std::vector<std::uint8_t>& drawn) {
    if (!layout.mask) return;
    const layout::Plane away = pixel_distance(drawn, layout.width, layout.height);
    std::map<int, double> ring;
    double all = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (away.values[i] <= 0 || away.values[i] > kRing) continue;
      ring[layout.mask->values[i]] += 1;
      ++all;
    }
    for (const auto& [k, pixels] : ring) standing_[k] += pixels >= kLeastGroundShare * all ? 1 : 0;
  }

  int things_on(int k) const {
    const auto found = standing_.find(k);
    return found == standing_.end() ? 0 : found->second;
  }

  // Whether things may stand on a class that covers `share` of the scenes.
  bool is_ground(int k, double share) const {
    const auto things = static_cast<double>(extents_.size());
    const int standing = things_on(k);
    if (standing > 0) return standing >= kLeastGroundShare * things;
    return std::pow(1 - share, things) >= kHardlyByChance;
  }

  static std::vector<std::uint8_t> features_but(const layout::Layout& layout, const layout::Geometry& thing) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(layout.width) * static_cast<std::size_t>(layout.height));
    for (const layout::Feature& feature : layout.features) {
      if (!(feature.geometry == thing)) {
        layout::draw_onto(pixels, feature.geometry, layout.width, layout.height);
      }
    }
    return pixels;
  }

  static double agreement(const StructureField& structure, const layout::OrientedBox& box) {
    const auto x = static_cast<int>(std::clamp(box.cx, 0.0, structure.direction.width - 1.0));
    const auto y = static_cast<int>(std::clamp(box.cy, 0.0, structure.direction.height - 1.0));
    return std::cos(2 * (box.angle - static_cast<double>(structure.direction.at(x, y)))) *
           static_cast<double>(structure.coherence.at(x, y));
  }

  int class_index_;
  int classes_;
  const GroundShares& shares_;
  bool dense_ = false;
  std::vector<double> sizes_;    // of what is placed
  std::vector<double> extents_;  // of whole things
  std::vector<double> spacings_, directions_;
  std::map<int, int> standing_;                    // things by the classes they stand on
  std::map<int, std::vector<double>> neighbours_;  // distances by class
  std::map<int, std::vector<double>> anywhere_;    // of pixels
};

}  // namespace

GroundShares ground_shares(const std::vector<const layout::Layout*>& scenes, int classes) {
  GroundShares shares{.classes = std::vector<double>(static_cast<std::size_t>(classes)), .unlabelled = 0};
  double all = 0;
  for (const layout::Layout* scene : scenes) {
    const layout::ClassPixels pixels = layout::count_class_pixels(*scene, classes);
    all += 1.0 * scene->width * scene->height;
    shares.unlabelled += static_cast<double>(pixels.unlabelled);
    for (std::size_t k = 0; k < pixels.classes.size(); ++k) shares.classes[k] += static_cast<double>(pixels.classes[k]);
  }
  for (double& share : shares.classes) share /= std::max(1.0, all);
  shares.unlabelled /= std::max(1.0, all);
  return shares;
}

layout::PlacementRule learned_rule(const std::vector<shards::Sample>& examples, int class_index,
                                   const GroundShares& shares) {
  Learning learning(class_index, shares);
  for (const shards::Sample& example : examples) learning.look_at(example);
  return learning.rule();
}

}  // namespace terragen::synthesis
