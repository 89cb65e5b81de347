#include "terragen/diffusion/lms_sampler.h"

#include <cmath>

namespace terragen::diffusion {

namespace {
constexpr std::size_t kLmsOrder = 4;
}

LmsSampler::LmsSampler(const SchedulerConfig& config, std::int64_t steps)
    : SigmaSampler(config, exploding_grid(config, steps)) {}

double LmsSampler::weight(std::size_t index, std::size_t which, std::size_t count) const {
  // The integral of Lagrange's polynomial through the known slopes: Gauss' three points are exact up to degree 5.
  const double middle = 0.5 * (sigma(index) + sigma(index + 1));
  const double half = 0.5 * (sigma(index + 1) - sigma(index));
  const auto polynomial = [&](double at) {
    double product = 1;
    for (std::size_t k = 0; k < count; ++k) {
      if (k != which) product *= (at - sigma(index - k)) / (sigma(index - which) - sigma(index - k));
    }
    return product;
  };
  const double reach = half * std::sqrt(0.6);
  return half * (5 * polynomial(middle - reach) + 8 * polynomial(middle) + 5 * polynomial(middle + reach)) / 9;
}

torch::Tensor LmsSampler::step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                               const torch::Tensor&) {
  predicted_original_ = original(model_output, sample, sigma(index));
  slopes_.push_front((sample - predicted_original_) / sigma(index));
  if (slopes_.size() > kLmsOrder) slopes_.pop_back();
  torch::Tensor result = sample;
  for (std::size_t k = 0; k < slopes_.size(); ++k) result = result + weight(index, k, slopes_.size()) * slopes_[k];
  return result;
}

}  // namespace terragen::diffusion
