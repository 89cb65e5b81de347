// The adversarial half of few-step training: the network's estimate of the clean latent should look like one.
//
// Trained on squared error alone, the estimate from a noisy latent is the mean of all that could be there, and many
// small steps are needed to leave it. A discriminator that sees estimate and truth under the same fresh noise (Wang et
// al. 2023, Diffusion-GAN; Xiao et al. 2022, denoising diffusion GANs) moves the estimate to something that could be
// there.
#pragma once

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/models/discriminator.h"
#include "terragen/training/task.h"

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

  struct Losses {
    torch::Tensor discriminator;  // scalar; its gradient reaches the discriminator alone
    double margin = 0;            // mean verdict on real less that on painted: how well it tells them apart
    torch::Tensor generator;      // scalar; its gradient reaches what made `estimate` alone, its value says nothing
  };
  // estimate (with gradient), truth: [N, C, h, w] clean latents; importance: [N], how much each sample counts for both
  // players. Draws come from `seed`. Scalars: verdict_real, verdict_painted.
  Losses losses(const torch::Tensor& estimate, const torch::Tensor& truth, const torch::Tensor& importance,
                const models::LayoutEncoding& layout, std::uint64_t seed, Scalars& scalars);

 private:
  models::LatentDiscriminator discriminator_;
  const diffusion::NoiseSchedule& schedule_;
  AdversarialOptions options_;
};

}  // namespace terragen::training
