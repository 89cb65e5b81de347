#include "terragen/diffusion/sigma_grid.h"

#include <algorithm>
#include <cmath>

namespace terragen::diffusion {
namespace {

// The schedule's sigma at every training step, in float64 as the reference interpolates.
std::vector<double> training_sigmas(const SchedulerConfig& config) {
  const NoiseSchedule schedule(config);
  const auto alphas = schedule.alphas_cumprod().accessor<float, 1>();
  std::vector<double> sigmas;
  for (std::int64_t t = 0; t < schedule.steps(); ++t) {
    const float ratio = (1.0F - alphas[t]) / alphas[t];
    sigmas.push_back(static_cast<double>(std::sqrt(ratio)));
  }
  return sigmas;
}

// Linear between training steps.
double sigma_at(double t, const std::vector<double>& sigmas) {
  const double last = static_cast<double>(sigmas.size() - 1);
  const double below = std::floor(std::clamp(t, 0.0, last));
  const auto i = static_cast<std::size_t>(below);
  const double share = std::clamp(t, 0.0, last) - below;
  return share == 0 ? sigmas[i] : sigmas[i] + share * (sigmas[i + 1] - sigmas[i]);
}

// The (fractional) training step of a sigma, by linear interpolation of log sigma.
double timestep_of(double sigma, const std::vector<double>& sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const std::size_t n = sigmas.size();
  std::size_t low = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (log_sigma - std::log(sigmas[i]) >= 0) low = i;
  }
  low = std::min(low, n - 2);
  const double a = std::log(sigmas[low]);
  const double b = std::log(sigmas[low + 1]);
  const double share = std::clamp((a - log_sigma) / (a - b), 0.0, 1.0);
  return static_cast<double>(low) + share;
}

// Karras et al. 2022, equation 5, rho = 7.
std::vector<double> karras_sigmas(double lowest, double highest, std::int64_t steps) {
  const double low = std::pow(lowest, 1.0 / 7);
  const double high = std::pow(highest, 1.0 / 7);
  std::vector<double> sigmas;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double ramp = steps == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    sigmas.push_back(std::pow(high + ramp * (low - high), 7.0));
  }
  return sigmas;
}

}  // namespace

SigmaGrid solver_grid(const SchedulerConfig& config, std::int64_t steps) {
  const std::vector<double> all = training_sigmas(config);
  SigmaGrid grid;
  for (const std::int64_t t : spaced_timesteps(config, steps, true)) {
    grid.timesteps.push_back(static_cast<double>(t));
    grid.sigmas.push_back(static_cast<float>(all[static_cast<std::size_t>(t)]));
  }
  if (config.use_karras_sigmas) {
    const std::vector<double> sigmas = karras_sigmas(all.front(), all.back(), steps);
    grid.sigmas.assign(sigmas.begin(), sigmas.end());
    std::ranges::transform(sigmas, grid.timesteps.begin(),
                           [&](double sigma) { return std::nearbyint(timestep_of(sigma, all)); });
  }
  grid.sigmas.push_back(config.final_sigmas_type == "zero" ? 0.0F : static_cast<float>(all.front()));
  return grid;
}

SigmaGrid exploding_grid(const SchedulerConfig& config, std::int64_t steps) {
  const std::vector<double> all = training_sigmas(config);
  const std::vector<std::int64_t> whole = spaced_timesteps(config, steps, false);
  std::vector<double> times(whole.begin(), whole.end());
  if (config.spacing() == "linspace") {
    const double last = static_cast<double>(config.num_train_timesteps - 1);
    for (std::int64_t i = 0; i < steps; ++i) {
      const double share = steps == 1 ? 0.0 : static_cast<double>(steps - 1 - i) / static_cast<double>(steps - 1);
      times[static_cast<std::size_t>(i)] = last * share;
    }
  }
  std::vector<double> sigmas;
  for (double& t : times) {
    t = static_cast<double>(static_cast<float>(t));
    sigmas.push_back(sigma_at(t, all));
  }
  if (config.use_karras_sigmas) {
    sigmas = karras_sigmas(sigmas.back(), sigmas.front(), steps);
    std::ranges::transform(sigmas, times.begin(), [&](double sigma) { return timestep_of(sigma, all); });
  }
  SigmaGrid grid{.timesteps = times, .sigmas = {sigmas.begin(), sigmas.end()}};
  grid.sigmas.push_back(config.final_sigmas_type == "zero" ? 0.0F : static_cast<float>(all.front()));
  return grid;
}

}  // namespace terragen::diffusion
