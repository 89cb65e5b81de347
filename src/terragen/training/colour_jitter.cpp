#include "terragen/training/colour_jitter.h"

#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

enum JitterStream : std::uint64_t { kBrightness, kContrast };

}  // namespace

torch::Tensor colour_jittered(const torch::Tensor& images, double jitter, std::uint64_t seed) {
  if (jitter == 0) return images;
  const auto draw = [&](JitterStream stream) {
    const torch::Tensor u = tensor::seeded_uniform({images.size(0), 1, 1, 1}, derive_seed(seed, stream));
    return ((2 * u - 1) * jitter).to(images.device());
  };
  const torch::Tensor mean = images.mean({1, 2, 3}, true);
  return (images - mean) * (1 + draw(kContrast)) + mean + draw(kBrightness);
}

}  // namespace terragen::training
