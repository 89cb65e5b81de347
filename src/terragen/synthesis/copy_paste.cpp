#include "terragen/synthesis/copy_paste.h"

#include <algorithm>
#include <set>
#include <span>

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

// Whether enough of a thing lies where `visible` is not 0.
bool in_sight(const Pixels& thing, std::span<const std::uint8_t> visible) {
  double all = 0;
  double seen = 0;
  for (std::size_t i = 0; i < thing.size(); ++i) {
    all += thing[i];
    seen += thing[i] != 0 && visible[i] != 0 ? 1 : 0;
  }
  return all == 0 || seen >= kLeastInSight * all;
}

}  // namespace

shards::Sample copy_paste(const shards::Sample& target, const shards::Sample& source, Random& random) {
  const int width = target.layout.width;
  const int height = target.layout.height;
  if (source.layout.width != width || source.layout.height != height) {
    throw InternalError("[copy_paste] the images are not of one size");
  }
  shards::Sample result = target;
  // What the source does not know is not pasted, neither its pixels nor what is said of them.
  const torch::Tensor valid = source.valid.gt(0).to(torch::kUInt8).contiguous();
  const std::span<const std::uint8_t> known(valid.const_data_ptr<std::uint8_t>(),
                                            static_cast<std::size_t>(valid.numel()));
  Pixels pasted(known.size(), 0);
  if (source.layout.mask && target.layout.mask) {
    pasted = pasted_classes(*source.layout.mask, random);
    for (std::size_t i = 0; i < pasted.size(); ++i) {
      if (known[i] == 0) pasted[i] = 0;
      if (pasted[i] != 0) result.layout.mask->values[i] = source.layout.mask->values[i];
    }
  }
  std::vector<layout::Feature> added;
  for (const layout::Feature& feature : source.layout.features) {
    if (!random.chance(0.5) || feature.crowd) continue;
    const Pixels drawn = layout::rasterise(feature.geometry, width, height);
    if (!in_sight(drawn, known)) continue;
    for (std::size_t i = 0; i < pasted.size(); ++i) {
      if (drawn[i] != 0 && known[i] != 0) pasted[i] = 1;
    }
    added.push_back(feature);
  }
  Pixels left(pasted.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = pasted[i] == 0 ? 1 : 0;
  std::erase_if(result.layout.features, [&](const layout::Feature& feature) {
    return !in_sight(layout::rasterise(feature.geometry, width, height), left);
  });
  result.layout.features.insert(result.layout.features.end(), added.begin(), added.end());
  const torch::Tensor mask = torch::from_blob(pasted.data(), {height, width}, torch::kUInt8).to(torch::kFloat32);
  result.image = target.image * (1 - mask) + source.image * mask;
  result.valid = torch::maximum(target.valid, mask);
  result.source = target.source + " with parts of " + source.source;
  return result;
}

}  // namespace terragen::synthesis
