#include "terragen/synthesis/variation.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <set>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/layout/rasterise.h"
#include "terragen/shards/augment.h"
#include "terragen/synthesis/copy_paste.h"

namespace terragen::synthesis {
namespace {

// Less than this share of an object beyond the line is no object any more.
constexpr double kLeastShare = 0.2;
// Pixels around an object that are painted with it: its shadow and its edge.
constexpr int kRepaintMargin = 3;
constexpr int kSquares = 4;
// Strengths come in tenths, so that images of one strength can be painted together.
constexpr double kStrengthStep = 0.1;

// Squares of what is no object are painted, too: what was painted must not be what a label covers.
void add_squares(std::vector<std::uint8_t>& chosen, const layout::Layout& layout, Random& random) {
  const int size = std::min(layout.width, layout.height);
  for (int i = 0; i < kSquares; ++i) {
    const int side = static_cast<int>(size * random.uniform(0.1, 0.35));
    const auto x0 = static_cast<int>(random.below(layout.width - side + 1));
    const auto y0 = static_cast<int>(random.below(layout.height - side + 1));
    for (int y = y0; y < y0 + side; ++y) {
      for (int x = x0; x < x0 + side; ++x) {
        chosen[static_cast<std::size_t>(y) * static_cast<std::size_t>(layout.width) + static_cast<std::size_t>(x)] = 1;
      }
    }
  }
}

// 1 where about half of the objects, or of a dense mask's classes, are, and on some squares anywhere; undefined where
// there are no objects.
torch::Tensor half_of(const layout::Layout& layout, Random& random) {
  std::vector<std::uint8_t> chosen(static_cast<std::size_t>(layout.width) * static_cast<std::size_t>(layout.height), 0);
  bool any = false;
  for (const layout::Feature& feature : layout.features) {
    if (!random.chance(0.5)) continue;
    layout::draw_onto(chosen, feature.geometry, layout.width, layout.height);
    any = true;
  }
  if (layout.mask) {
    std::set<std::uint8_t> classes(layout.mask->values.begin(), layout.mask->values.end());
    classes.erase(layout::kUnlabelled);
    std::erase_if(classes, [&](std::uint8_t) { return !random.chance(0.5); });
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] |= classes.contains(layout.mask->values[i]) ? 1 : 0;
    any = any || !classes.empty();
  }
  if (!any) return {};
  add_squares(chosen, layout, random);
  const torch::Tensor mask =
      torch::from_blob(chosen.data(), {1, 1, layout.height, layout.width}, torch::kUInt8).to(torch::kFloat32);
  return at::max_pool2d(mask, {2 * kRepaintMargin + 1, 2 * kRepaintMargin + 1}, {1, 1},
                        {kRepaintMargin, kRepaintMargin})[0][0];
}

}  // namespace

void VariationOptions::validate() const {
  if (size < 32) throw RequestError(std::format("images of {} pixels are too small", size));
  if (!(scale_jitter >= 1)) throw RequestError(std::format("scale_jitter is {}, it must be at least 1", scale_jitter));
  require_share("mix_share", mix_share);
  if (!(whole_share >= 0 && scene_share >= 0 && paste_share >= 0 && whole_share + scene_share + paste_share <= 1)) {
    throw RequestError(
        std::format("whole_share {}, scene_share {} and paste_share {} must not be negative, and not above 1 together",
                    whole_share, scene_share, paste_share));
  }
  if (!(least_strength > 0 && least_strength <= most_strength && most_strength <= 1)) {
    throw RequestError(
        std::format("strengths from {} to {} are not in (0, 1] and rising", least_strength, most_strength));
  }
}

Json to_json(const VariationOptions& options) {
  return {{"size", options.size},
          {"scale_jitter", options.scale_jitter},
          {"mix_share", options.mix_share},
          {"whole_share", options.whole_share},
          {"scene_share", options.scene_share},
          {"paste_share", options.paste_share},
          {"least_strength", options.least_strength},
          {"most_strength", options.most_strength}};
}

layout::Layout joined(const layout::Layout& one, const layout::Layout& other, int cut, bool rows) {
  if (one.width != other.width || one.height != other.height || one.mask.has_value() != other.mask.has_value()) {
    throw InternalError("[joined] the layouts are not of one kind and size");
  }
  const int width = one.width;
  const int height = one.height;
  layout::Layout first =
      rows ? layout::crop(one, 0, 0, width, cut, kLeastShare) : layout::crop(one, 0, 0, cut, height, kLeastShare);
  const layout::Layout second = rows ? layout::crop(other, 0, cut, width, height - cut, kLeastShare)
                                     : layout::crop(other, cut, 0, width - cut, height, kLeastShare);
  const layout::Affine moved{.c = rows ? 0.0 : static_cast<double>(cut), .f = rows ? static_cast<double>(cut) : 0.0};
  for (layout::Feature feature : second.features) {
    feature.geometry = layout::transform(feature.geometry, moved);
    first.features.push_back(std::move(feature));
  }
  if (one.mask) {
    layout::DenseMask mask = *one.mask;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const auto at = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
        if ((rows ? y : x) >= cut) mask.values[at] = other.mask->values[at];
      }
    }
    first.mask = std::move(mask);
  }
  first.width = width;
  first.height = height;
  return first;
}

Variation varied(const shards::ShardReader& real, std::size_t index, const VariationOptions& options, Random& random) {
  // Drawn in one fixed order, whatever is done with them.
  const bool mix = random.chance(options.mix_share);
  const auto partner = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(real.size())));
  const bool rows = random.chance(0.5);
  const int cut = static_cast<int>(options.size * random.uniform(0.3, 0.7));
  const double kind = random.uniform();
  const double drawn = random.uniform(options.least_strength, options.most_strength);
  const double strength = std::clamp(std::round(drawn / kStrengthStep) * kStrengthStep, kStrengthStep, 1.0);

  const shards::AugmentOptions window{.crop = options.size, .scale_jitter = options.scale_jitter};
  Variation result;
  result.sample = shards::augment(real.get(index), window, random);
  const double scenes = options.whole_share + options.scene_share;
  result.painted = kind < scenes || kind >= scenes + options.paste_share;
  shards::Sample other = result.sample;
  if (mix || !result.painted) other = shards::augment(real.get(partner), window, random);

  if (kind < options.whole_share) {
    result.whole = true;
    if (mix && other.layout.mask.has_value() == result.sample.layout.mask.has_value()) {
      result.sample.layout = joined(result.sample.layout, other.layout, cut, rows);
    }
    result.sample.valid = torch::ones({options.size, options.size});
    return result;
  }
  if (mix || !result.painted) result.sample = copy_paste(result.sample, other, random);
  if (!result.painted) return result;
  if (kind >= scenes) result.repaint = half_of(result.sample.layout, random);
  if (!result.repaint.defined()) result.strength = strength;
  return result;
}

}  // namespace terragen::synthesis
