#include "terragen/training/random_blur.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

enum BlurStream : std::uint64_t { kWhether, kDeviation };

// Below this a Gaussian on whole pixels is no blur.
constexpr double kLeastDeviation = 0.1;

}  // namespace

torch::Tensor randomly_blurred(const torch::Tensor& images, double most, std::uint64_t seed) {
  const auto reach = static_cast<std::int64_t>(std::ceil(2.5 * most));
  if (most == 0 || std::min(images.size(2), images.size(3)) <= reach) return images;
  const std::int64_t n = images.size(0);
  const std::int64_t bands = images.size(1);
  const torch::Tensor chosen = tensor::seeded_uniform({n, 1}, derive_seed(seed, kWhether)).lt(0.5);
  const torch::Tensor drawn = tensor::seeded_uniform({n, 1}, derive_seed(seed, kDeviation)) * most;
  const torch::Tensor deviation = (drawn * chosen).clamp_min(kLeastDeviation);
  const torch::Tensor offset = torch::arange(-reach, reach + 1).view({1, -1});
  torch::Tensor kernel = torch::exp(-offset.square() / (2 * deviation.square()));
  kernel = (kernel / kernel.sum(1, true)).to(images.device(), images.scalar_type());
  // Every image has a kernel of its own: the batch becomes the channels of one image.
  kernel = kernel.repeat_interleave(bands, 0);
  const torch::Tensor across = kernel.view({n * bands, 1, 1, -1});
  const torch::Tensor down = kernel.view({n * bands, 1, -1, 1});
  torch::Tensor h = at::reflection_pad2d(images.contiguous().view({1, n * bands, images.size(2), images.size(3)}),
                                         {reach, reach, reach, reach});
  h = torch::conv2d(h, across, {}, 1, torch::IntArrayRef{0, 0}, 1, n * bands);
  h = torch::conv2d(h, down, {}, 1, torch::IntArrayRef{0, 0}, 1, n * bands);
  return h.view(images.sizes()).to(images.scalar_type());
}

}  // namespace terragen::training
