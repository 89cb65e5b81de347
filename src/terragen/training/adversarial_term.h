// The adversarial half of few-step training: the network's estimate of the clean latent should look like one.
//
// Trained on squared error alone, the estimate from a noisy latent is the mean of all that could be there, and many
// small steps are needed to leave it. A discriminator that sees estimate and truth under the same fresh noise (Wang et
// al. 2023, Diffusion-GAN; Xiao et al. 2022, denoising diffusion GANs) moves the estimate to something that could be
// there.
#pragma once

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/models/discriminator.h"
#include "terragen/training/adversarial_game.h"

namespace terragen::training {

struct AdversarialOptions {
  double weight = 0;         // of the adversarial gradient against that of the squared error; 0: none
  std::int64_t lowest = 20;  // time steps between which estimate and truth are noised before they are judged
  std::int64_t highest = 300;

  double rate_factor = 5;  // of the discriminator's learning rate: a judge that lags behind is fooled, not followed

  void validate() const;
};

// Holds the discriminator. May be used from several threads at once.
class AdversarialTerm {
 public:
  // The discriminator's features are those of `unet` as it is now.
  AdversarialTerm(const models::UNet2DConditionModel& unet, const diffusion::NoiseSchedule& schedule,
                  AdversarialOptions options);
  models::LatentDiscriminator discriminator() const { return discriminator_; }

  // estimate (with gradient), truth: [N, C, h, w] clean latents; importance: [N], how much each sample counts for both
  // players. Draws come from `seed`. Scalars: as
  // adversarial_losses.
  AdversarialLosses losses(const torch::Tensor& estimate, const torch::Tensor& truth, const torch::Tensor& importance,
                           const models::LayoutEncoding& layout, std::uint64_t seed, Scalars& scalars);

 private:
  models::LatentDiscriminator discriminator_;
  const diffusion::NoiseSchedule& schedule_;
  AdversarialOptions options_;
};

}  // namespace terragen::training
