#include "terragen/training/adversarial_term.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

enum AdversarialStream : std::uint64_t { kLevel, kFresh };

// The layout as the discriminator sees it: a judge must not bend what it is told.
models::LayoutEncoding detached(const models::LayoutEncoding& layout) {
  models::LayoutEncoding result;
  for (const torch::Tensor& feature : layout.features) result.features.push_back(feature.detach());
  result.time_addition = layout.time_addition.detach();
  if (layout.tokens.defined()) result.tokens = layout.tokens.detach();
  result.token_mask = layout.token_mask;
  if (layout.text.defined()) result.text = layout.text.detach();
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

AdversarialLosses AdversarialTerm::losses(const torch::Tensor& estimate, const torch::Tensor& truth,
                                          const torch::Tensor& importance, const models::LayoutEncoding& layout,
                                          std::uint64_t seed, Scalars& scalars) {
  const std::int64_t n = truth.size(0);
  const models::LayoutEncoding shown = detached(layout);
  const torch::Tensor level = (tensor::seeded_uniform({n}, derive_seed(seed, kLevel)) *
                                   static_cast<double>(options_.highest - options_.lowest) +
                               static_cast<double>(options_.lowest))
                                  .to(torch::kInt64);
  const torch::Tensor fresh = tensor::seeded_normal(truth.sizes().vec(), derive_seed(seed, kFresh)).to(truth.device());
  const torch::Tensor steps = level.to(truth.device());
  const Judge judge = [&](const torch::Tensor& latents) {
    return discriminator_->forward(schedule_.add_noise(latents, fresh, level), steps, shown);
  };
  return adversarial_losses(judge, estimate, truth, importance, scalars);
}

}  // namespace terragen::training
