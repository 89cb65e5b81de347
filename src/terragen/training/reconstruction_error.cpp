#include "terragen/training/reconstruction_error.h"

#include <algorithm>
#include <cmath>

namespace terragen::training {
namespace {

// Mean of `error` over the valid pixels and all bands.
torch::Tensor masked_mean(const torch::Tensor& error, const torch::Tensor& valid) {
  const torch::Tensor count = valid.sum().clamp_min(1.0) * static_cast<double>(error.size(1));
  return (error * valid).sum() / count;
}

torch::Tensor shifted_difference(const torch::Tensor& x, std::int64_t dimension) {
  const std::int64_t last = x.size(dimension);
  return x.slice(dimension, 1, last) - x.slice(dimension, 0, last - 1);
}

}  // namespace

ReconstructionError reconstruction_error(const torch::Tensor& decoded, const torch::Tensor& image,
                                         const torch::Tensor& valid) {
  const torch::Tensor error = decoded - image;
  ReconstructionError result{masked_mean(error.abs(), valid), masked_mean(error.square(), valid), {}};
  result.differences = torch::zeros({}, result.absolute.options());
  for (const std::int64_t dimension : {std::int64_t{2}, std::int64_t{3}}) {
    const std::int64_t last = valid.size(dimension);
    const torch::Tensor both = valid.slice(dimension, 1, last) * valid.slice(dimension, 0, last - 1);
    result.differences = result.differences + masked_mean(shifted_difference(error, dimension).abs(), both);
  }
  return result;
}

// In [-1, 1] the peak is 2, so the ratio is against 4.
double psnr_of(double square) { return 10.0 * std::log10(4.0 / std::max(1e-12, square)); }

}  // namespace terragen::training
