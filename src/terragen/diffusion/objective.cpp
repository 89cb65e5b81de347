#include "terragen/diffusion/objective.h"

namespace terragen::diffusion {

torch::Tensor training_target(const NoiseSchedule& schedule, const std::string& prediction_type,
                              const torch::Tensor& x0, const torch::Tensor& noise, const torch::Tensor& t) {
  if (prediction_type == "epsilon") return noise;
  if (prediction_type == "sample") return x0;
  return schedule.velocity(x0, noise, t);
}

torch::Tensor predicted_original(const NoiseSchedule& schedule, const std::string& prediction_type,
                                 const torch::Tensor& x, const torch::Tensor& output, const torch::Tensor& t) {
  if (prediction_type == "sample") return output;
  // sqrt(a) x - sqrt(1 - a) v: of the form of a velocity, with x for the noise and v for the sample.
  if (prediction_type == "v_prediction") return schedule.velocity(output, x, t);
  const torch::Tensor a = schedule.alphas_cumprod().index_select(0, t).view({-1, 1, 1, 1}).to(x.device());
  return (x - (1.0 - a).sqrt() * output) / a.sqrt().clamp_min(1e-4);
}

torch::Tensor weighted_error(const torch::Tensor& output, const torch::Tensor& target, const torch::Tensor& weights) {
  const torch::Tensor error = (output.to(torch::kFloat32) - target).square().mean(1, true);
  return (error * weights).sum({1, 2, 3}) / weights.sum({1, 2, 3}).clamp_min(1e-8);
}

torch::Tensor min_snr_weight(const NoiseSchedule& schedule, const std::string& prediction_type, const torch::Tensor& t,
                             double gamma) {
  const torch::Tensor snr = schedule.snr(t);
  const torch::Tensor capped = snr.clamp_max(gamma);
  if (prediction_type == "epsilon") return capped / snr.clamp_min(1e-8);
  if (prediction_type == "sample") return capped;
  return capped / (snr + 1.0);
}

}  // namespace terragen::diffusion
