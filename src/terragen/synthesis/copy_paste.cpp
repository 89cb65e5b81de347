#include "terragen/synthesis/copy_paste.h"

#include <algorithm>
#include <set>

#include "terragen/core/error.h"
#include "terragen/layout/rasterise.h"

namespace terragen::synthesis {
namespace {

constexpr double kLeastInSight = 1.0 / 3.0;

using Pixels = std::vector<std::uint8_t>;  // 1 where something is pasted

Pixels pasted_classes(const layout::DenseMask& mask, Random& random) {
  std::set<std::uint8_t> present(mask.values.begin(), mask.values.end());
  present.erase(layout::kUnlabelled);
  std::vector<std::uint8_t> chosen(present.begin(), present.end());
  // A random half, at least one, never all of several.
  shuffle(chosen, random);
  if (chosen.size() > 1) chosen.resize(chosen.size() / 2);
  Pixels pasted(mask.values.size(), 0);
  for (std::size_t i = 0; i < pasted.size(); ++i) {
    pasted[i] = std::ranges::find(chosen, mask.values[i]) != chosen.end() ? 1 : 0;
  }
  return pasted;
}

}  // namespace

shards::Sample copy_paste(const shards::Sample& target, const shards::Sample& source, Random& random) {
  const int width = target.layout.width;
  const int height = target.layout.height;
  if (source.layout.width != width || source.layout.height != height) {
    throw InternalError("[copy_paste] the images are not of one size");
  }
  shards::Sample result = target;
  Pixels pasted(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
  if (source.layout.mask && target.layout.mask) {
    pasted = pasted_classes(*source.layout.mask, random);
    for (std::size_t i = 0; i < pasted.size(); ++i) {
      if (pasted[i] != 0) result.layout.mask->values[i] = source.layout.mask->values[i];
    }
  }
  std::vector<layout::Feature> added;
  for (const layout::Feature& feature : source.layout.features) {
    if (!random.chance(0.5) || feature.crowd) continue;
    layout::draw_onto(pasted, feature.geometry, width, height);
    added.push_back(feature);
  }
  std::erase_if(result.layout.features, [&](const layout::Feature& feature) {
    const Pixels drawn = layout::rasterise(feature.geometry, width, height);
    double all = 0;
    double seen = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      all += drawn[i];
      seen += drawn[i] != 0 && pasted[i] == 0 ? 1 : 0;
    }
    return all > 0 && seen < kLeastInSight * all;
  });
  result.layout.features.insert(result.layout.features.end(), added.begin(), added.end());
  // What the source does not know is not pasted.
  const torch::Tensor mask =
      torch::from_blob(pasted.data(), {height, width}, torch::kUInt8).to(torch::kFloat32) * source.valid;
  result.image = target.image * (1 - mask) + source.image * mask;
  result.valid = torch::maximum(target.valid, mask);
  result.source = target.source + " with parts of " + source.source;
  return result;
}

}  // namespace terragen::synthesis
