#include "terragen/training/adversarial_term.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

enum Stream : std::uint64_t { kLevel, kFresh };

// Mean over the levels of the mean softplus(sign * verdict).
torch::Tensor mean_softplus(const std::vector<torch::Tensor>& verdicts, double sign) {
  torch::Tensor sum;
  for (const torch::Tensor& verdict : verdicts) {
    const torch::Tensor one = at::softplus(sign * verdict).mean();
    sum = sum.defined() ? sum + one : one;
  }
  return sum / static_cast<double>(verdicts.size());
}

double mean_verdict(const std::vector<torch::Tensor>& verdicts) {
  double sum = 0;
  for (const torch::Tensor& verdict : verdicts) sum += verdict.detach().mean().item<double>();
  return sum / static_cast<double>(verdicts.size());
}

// The layout as the discriminator sees it: a judge must not bend what it is told.
models::LayoutEncoding detached(const models::LayoutEncoding& layout) {
  models::LayoutEncoding result;
  for (const torch::Tensor& feature : layout.features) result.features.push_back(feature.detach());
  result.time_addition = layout.time_addition.detach();
  return result;
}

}  // namespace

void AdversarialOptions::validate() const {
  if (!(weight >= 0)) throw RequestError(std::format("adversarial_weight is {}, it must not be negative", weight));
  if (lowest < 0 || highest <= lowest) {
    throw RequestError(std::format("adversarial noise from step {} to {} is no range", lowest, highest));
  }
}

AdversarialTerm::AdversarialTerm(const models::DiscriminatorConfig& config, const diffusion::NoiseSchedule& schedule,
                                 AdversarialOptions options)
    : discriminator_(config), schedule_(schedule), options_(options) {
  if (options_.highest > schedule.steps()) {
    throw RequestError(std::format("adversarial noise to step {} of {}", options_.highest, schedule.steps()));
  }
}

AdversarialTerm::Losses AdversarialTerm::losses(const torch::Tensor& estimate, const torch::Tensor& truth,
                                                const models::LayoutEncoding& layout, std::uint64_t seed,
                                                Scalars& scalars) {
  const std::int64_t n = truth.size(0);
  const models::LayoutEncoding shown = detached(layout);
  const torch::Tensor level = (tensor::seeded_uniform({n}, derive_seed(seed, kLevel)) *
                                   static_cast<double>(options_.highest - options_.lowest) +
                               static_cast<double>(options_.lowest))
                                  .to(torch::kInt64);
  const torch::Tensor fresh = tensor::seeded_normal(truth.sizes().vec(), derive_seed(seed, kFresh)).to(truth.device());
  const torch::Tensor steps = level.to(truth.device());
  const torch::Tensor painted = estimate.detach().requires_grad_(true);
  const auto on_painted = discriminator_->forward(schedule_.add_noise(painted, fresh, level), steps, shown);
  const auto on_real = discriminator_->forward(schedule_.add_noise(truth, fresh, level), steps, shown);
  scalars["verdict_painted"] = mean_verdict(on_painted);
  scalars["verdict_real"] = mean_verdict(on_real);
  // The generator's gradient is taken at its estimate and carried on as a linear term, so that one backward pass
  // serves both players without either's gradient reaching the other.
  const torch::Tensor pull =
      torch::autograd::grad({mean_softplus(on_painted, -1.0)}, {painted}, {}, true).front().detach();
  return {mean_softplus(on_painted, 1.0) + mean_softplus(on_real, -1.0),
          scalars["verdict_real"] - scalars["verdict_painted"], (pull * estimate).sum()};
}

}  // namespace terragen::training
