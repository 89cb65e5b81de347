#include "terragen/diffusion/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <numbers>

#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

torch::Tensor make_betas(const SchedulerConfig& config) {
  const std::int64_t n = config.num_train_timesteps;
  if (config.beta_schedule == "linear") return torch::linspace(config.beta_start, config.beta_end, n, torch::kFloat32);
  if (config.beta_schedule == "scaled_linear") {
    return torch::linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), n, torch::kFloat32).square();
  }
  std::vector<float> betas;
  const auto alpha_bar = [](double t) {
    const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  for (std::int64_t i = 0; i < n; ++i) {
    const double t0 = static_cast<double>(i) / static_cast<double>(n);
    const double t1 = static_cast<double>(i + 1) / static_cast<double>(n);
    betas.push_back(static_cast<float>(std::min(1.0 - alpha_bar(t1) / alpha_bar(t0), 0.999)));
  }
  return torch::tensor(betas, torch::kFloat32);
}

// Lin et al. 2024, algorithm 1: shifts and scales sqrt(alpha_bar) so that the last step is pure noise.
torch::Tensor with_zero_terminal_snr(const torch::Tensor& betas) {
  torch::Tensor root = (1.0 - betas).cumprod(0).sqrt();
  const torch::Tensor first = root[0].clone();
  const torch::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const torch::Tensor bar = root.square();
  const torch::Tensor alphas = torch::cat({bar.slice(0, 0, 1), bar.slice(0, 1) / bar.slice(0, 0, -1)});
  return 1.0 - alphas;
}

}  // namespace

NoiseSchedule::NoiseSchedule(const SchedulerConfig& config) {
  config.validate();
  betas_ = make_betas(config);
  if (config.rescale_betas_zero_snr) betas_ = with_zero_terminal_snr(betas_);
  alphas_cumprod_ = (1.0 - betas_).cumprod(0);
  // All but these divide by sqrt(a_T): diffusers keeps it at 2^-24 there.
  const bool divides = config.class_name != "DDIMScheduler" && config.class_name != "DDPMScheduler" &&
                       config.class_name != "LCMScheduler";
  if (config.rescale_betas_zero_snr && divides) {
    alphas_cumprod_[-1] = std::ldexp(1.0, -24);
  }
}

torch::Tensor NoiseSchedule::gather(const torch::Tensor& table, const torch::Tensor& t,
                                    const torch::Tensor& like) const {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(like.dim()), 1);
  shape[0] = -1;
  return table.to(like.device()).index_select(0, t.to(like.device())).view(shape);
}

torch::Tensor NoiseSchedule::add_noise(const torch::Tensor& x0, const torch::Tensor& noise,
                                       const torch::Tensor& t) const {
  const torch::Tensor a = gather(alphas_cumprod_, t, x0);
  return a.sqrt() * x0 + (1.0 - a).sqrt() * noise;
}

torch::Tensor NoiseSchedule::velocity(const torch::Tensor& x0, const torch::Tensor& noise,
                                      const torch::Tensor& t) const {
  const torch::Tensor a = gather(alphas_cumprod_, t, x0);
  return a.sqrt() * noise - (1.0 - a).sqrt() * x0;
}

torch::Tensor NoiseSchedule::snr(const torch::Tensor& t) const {
  const torch::Tensor a = alphas_cumprod_.index_select(0, t.cpu());
  return a / (1.0 - a);
}

std::vector<std::int64_t> spaced_timesteps(const SchedulerConfig& config, std::int64_t steps, bool for_solver) {
  const std::int64_t n = config.num_train_timesteps;
  if (steps < 1 || steps > n) throw RequestError(std::format("{} sampling steps are not in 1..{}", steps, n));
  std::vector<std::int64_t> result;
  if (config.spacing() == "linspace") {
    const std::int64_t count = for_solver ? steps + 1 : steps;
    for (std::int64_t i = count - 1; i >= (for_solver ? 1 : 0); --i) {
      const double at =
          count == 1 ? 0.0 : static_cast<double>(n - 1) * static_cast<double>(i) / static_cast<double>(count - 1);
      result.push_back(static_cast<std::int64_t>(std::nearbyint(at)));
    }
  } else if (config.spacing() == "leading") {
    const std::int64_t ratio = n / (for_solver ? steps + 1 : steps);
    for (std::int64_t i = for_solver ? steps : steps - 1; i >= (for_solver ? 1 : 0); --i) {
      result.push_back(i * ratio + config.steps_offset);
    }
  } else {
    const double ratio = static_cast<double>(n) / static_cast<double>(steps);
    for (std::int64_t i = 0; i < steps; ++i) {
      result.push_back(
          static_cast<std::int64_t>(std::nearbyint(static_cast<double>(n) - static_cast<double>(i) * ratio)) - 1);
    }
  }
  if (std::ranges::adjacent_find(result) != result.end()) {
    throw RequestError(std::format("{} sampling steps are more than the schedule's {} tell apart", steps, n));
  }
  for (const std::int64_t t : result) {
    if (t < 0 || t >= n) {
      throw RequestError(
          std::format("{} sampling steps with offset {} leave the schedule's {} steps", steps, config.steps_offset, n));
    }
  }
  return result;
}

}  // namespace terragen::diffusion
