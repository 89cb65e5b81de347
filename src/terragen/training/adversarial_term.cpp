#include "terragen/training/adversarial_term.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

enum AdversarialStream : std::uint64_t { kLevel, kFresh };

// Means over levels and cells, [N] times importance, summed: what a verdict is worth for a batch.
template <typename Value>
torch::Tensor weighed(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance, const Value& value) {
  torch::Tensor sum;
  for (const torch::Tensor& verdict : verdicts) {
    const torch::Tensor one = (value(verdict).mean({1, 2, 3}) * importance).sum();
    sum = sum.defined() ? sum + one : one;
  }
  return sum / static_cast<double>(verdicts.size());
}

torch::Tensor softplus(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance, double sign) {
  return weighed(verdicts, importance, [&](const torch::Tensor& verdict) { return at::softplus(sign * verdict); });
}

double mean_verdict(const std::vector<torch::Tensor>& verdicts, const torch::Tensor& importance) {
  return weighed(verdicts, importance, [](const torch::Tensor& verdict) { return verdict.detach(); }).item<double>();
}

// The layout as the discriminator sees it: a judge must not bend what it is told.
models::LayoutEncoding detached(const models::LayoutEncoding& layout) {
  models::LayoutEncoding result;
  for (const torch::Tensor& feature : layout.features) result.features.push_back(feature.detach());
  result.time_addition = layout.time_addition.detach();
  if (layout.tokens.defined()) result.tokens = layout.tokens.detach();
  result.token_mask = layout.token_mask;
  return result;
}

}  // namespace

void AdversarialOptions::validate() const {
  if (!(weight >= 0)) throw RequestError(std::format("adversarial_weight is {}, it must not be negative", weight));
  if (!(rate_factor > 0))
    throw RequestError(std::format("adversarial_rate_factor is {}, it must be positive", rate_factor));
  if (lowest < 0 || highest <= lowest) {
    throw RequestError(std::format("adversarial noise from step {} to {} is no range", lowest, highest));
  }
}

AdversarialTerm::AdversarialTerm(const models::UNet2DConditionModel& unet, const diffusion::NoiseSchedule& schedule,
                                 AdversarialOptions options)
    : discriminator_(unet), schedule_(schedule), options_(options) {
  if (options_.highest > schedule.steps()) {
    throw RequestError(std::format("adversarial noise to step {} of {}", options_.highest, schedule.steps()));
  }
}

AdversarialTerm::Losses AdversarialTerm::losses(const torch::Tensor& estimate, const torch::Tensor& truth,
                                                const torch::Tensor& importance, const models::LayoutEncoding& layout,
                                                std::uint64_t seed, Scalars& scalars) {
  const std::int64_t n = truth.size(0);
  const models::LayoutEncoding shown = detached(layout);
  const torch::Tensor share = importance / importance.sum().clamp_min(1e-12);
  const torch::Tensor level = (tensor::seeded_uniform({n}, derive_seed(seed, kLevel)) *
                                   static_cast<double>(options_.highest - options_.lowest) +
                               static_cast<double>(options_.lowest))
                                  .to(torch::kInt64);
  const torch::Tensor fresh = tensor::seeded_normal(truth.sizes().vec(), derive_seed(seed, kFresh)).to(truth.device());
  const torch::Tensor steps = level.to(truth.device());
  const torch::Tensor painted = estimate.detach().requires_grad_(true);
  const auto on_painted = discriminator_->forward(schedule_.add_noise(painted, fresh, level), steps, shown);
  const auto on_real = discriminator_->forward(schedule_.add_noise(truth, fresh, level), steps, shown);
  scalars["verdict_painted"] = mean_verdict(on_painted, share);
  scalars["verdict_real"] = mean_verdict(on_real, share);
  // The generator's gradient is taken at its estimate and carried on as a linear term, so that one backward pass
  // serves both players without either's gradient reaching the other.
  const torch::Tensor pull =
      torch::autograd::grad({softplus(on_painted, share, -1.0)}, {painted}, {}, true).front().detach();
  return {softplus(on_painted, share, 1.0) + softplus(on_real, share, -1.0),
          scalars["verdict_real"] - scalars["verdict_painted"], (pull * estimate).sum()};
}

}  // namespace terragen::training
