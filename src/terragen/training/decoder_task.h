// Training of a finished autoencoder's decoder alone, for the latents a generator paints.
//
// An autoencoder's decoder has only seen latents of real images and carries every error of a painted one to the pixels,
// cell by cell. Here it sees real latents as a generator would have left them: noised to some time step and denoised in
// one step, which takes their finest texture, and under some noise. A patch discriminator asks for texture where there
// is none left (Rombach et al. 2022, latent diffusion, train their decoder against one too). The encoder does not
// change: latents keep their meaning, and a generator trained on them stays valid.
#pragma once

#include <memory>
#include <vector>

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/models/model_folder.h"
#include "terragen/models/patch_discriminator.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct DecoderTaskOptions {
  double difference_weight = 0.5;  // as AutoencoderTaskOptions
  double latent_noise = 0.15;      // most noise on a latent, in its deviations; each sample draws its own share of it
  // Latents are noised to a time step from 0 to this one and denoised by the model's generator; 0: not.
  std::int64_t denoise_steps = 400;
  double adversarial_weight = 0;  // of the discriminator's gradient against the error's; 0: none
  double rate_factor = 1;         // of the discriminator's learning rate

  void validate() const;
};

class DecoderTask : public Task {
 public:
  // `model` holds an autoencoder, and the generator where latents are to be denoised; what else it holds is saved with
  // it. `encoder`: its layout encoder, fitted to the classes of the data. `shown`: a few samples for previews.
  DecoderTask(models::ModelFolder model, models::LayoutEncoder encoder, shards::Batch shown,
              DecoderTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return trained_; }
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  double rate_factor(const std::string& parameter) const override;
  // Real images, decoded as they are, and decoded as a generator would have left them.
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  torch::Tensor normalised_latents(const torch::Tensor& images);
  // The latents with a generator's errors; each sample's share of them in [0, 1] is `share`: [N].
  torch::Tensor painted_alike(const torch::Tensor& latents, const std::vector<layout::Layout>& layouts,
                              const torch::Tensor& share, std::uint64_t seed);
  torch::Tensor decode(const torch::Tensor& latents);

  models::ModelFolder model_;
  models::LayoutEncoder encoder_;
  std::shared_ptr<torch::nn::Module> trained_;
  models::PatchDiscriminator discriminator_{nullptr};
  std::unique_ptr<diffusion::NoiseSchedule> schedule_;  // null where latents are not denoised
  shards::Batch shown_;
  DecoderTaskOptions options_;
};

}  // namespace terragen::training
