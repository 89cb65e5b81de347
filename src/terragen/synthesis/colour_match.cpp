#include "terragen/synthesis/colour_match.h"

#include "terragen/core/error.h"

namespace terragen::synthesis {
namespace {

constexpr double kLeastDeviation = 1e-4;

}  // namespace

ColourMoments colour_moments(const torch::Tensor& image, const torch::Tensor& mask) {
  const torch::Tensor pixels = image.flatten(1).index_select(1, mask.flatten().nonzero().flatten());  // [B, n]
  if (pixels.size(1) == 0) throw InternalError("[colour_moments] no pixel is asked for");
  return {pixels.mean(1, true), pixels.std(1, false, true)};
}

torch::Tensor colour_matched(const torch::Tensor& image, const torch::Tensor& mask, const ColourMoments& wanted,
                             double share) {
  const ColourMoments has = colour_moments(image, mask);
  const torch::Tensor mean = has.mean + share * (wanted.mean - has.mean);
  const torch::Tensor deviation = has.deviation + share * (wanted.deviation - has.deviation);
  const torch::Tensor stretch = (deviation / has.deviation.clamp_min(kLeastDeviation)).clamp_max(1.0);
  const torch::Tensor matched = ((image.flatten(1) - has.mean) * stretch + mean).clamp(-1.0, 1.0).view_as(image);
  return torch::where(mask.ne(0), matched, image);
}

}  // namespace terragen::synthesis
