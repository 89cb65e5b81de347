#include "terragen/diffusion/solver_sampler.h"

#include <cmath>

namespace terragen::diffusion {

SolverSampler::SolverSampler(const SchedulerConfig& config, std::int64_t steps)
    : config_(config), grid_(solver_grid(config, steps)) {}

SolverSampler::Place SolverSampler::place(std::size_t index) const {
  const float sigma = grid_.sigmas[index];
  const float alpha = 1.0F / std::sqrt(sigma * sigma + 1.0F);
  const float scaled = sigma * alpha;
  const double lambda = static_cast<double>(std::log(alpha) - std::log(scaled));
  return {static_cast<double>(alpha), static_cast<double>(scaled), lambda};
}

NoiseLevel SolverSampler::level(std::size_t index) const {
  const Place at = place(index);
  return {at.alpha, at.sigma};
}

torch::Tensor SolverSampler::converted(const torch::Tensor& model_output, const torch::Tensor& sample,
                                       std::size_t index, bool wants_original) const {
  const Place now = place(index);
  if (config_.prediction_type == "epsilon") {
    return wants_original ? (sample - now.sigma * model_output) / now.alpha : model_output;
  }
  if (config_.prediction_type == "v_prediction") {
    return wants_original ? now.alpha * sample - now.sigma * model_output
                          : now.alpha * model_output + now.sigma * sample;
  }
  return wants_original ? model_output : (sample - now.alpha * model_output) / now.sigma;
}

}  // namespace terragen::diffusion
