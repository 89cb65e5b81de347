// Training of a finished autoencoder's decoder alone, for the latents a generator paints.
//
// An autoencoder's decoder has only seen latents of real images and carries every error of a painted one to the pixels,
// cell by cell. Here it sees real latents under noise, and a patch discriminator asks it for texture where the noise
// left none (Rombach et al. 2022, latent diffusion, train their decoder against one too). The encoder does not change:
// latents keep their meaning, and a generator trained on them stays valid.
#pragma once

#include "terragen/models/model_folder.h"
#include "terragen/models/patch_discriminator.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct DecoderTaskOptions {
  double difference_weight = 0.5;  // as AutoencoderTaskOptions
  double latent_noise = 0.3;       // most noise on a latent, in its deviations; each sample draws its own share of it
  double adversarial_weight = 0;   // of the discriminator's gradient against the error's; 0: none
  double rate_factor = 1;          // of the discriminator's learning rate

  void validate() const;
};

class DecoderTask : public Task {
 public:
  // `model` holds an autoencoder, and what else it holds is saved with it. `shown`: [n, B, H, W], for previews.
  DecoderTask(models::ModelFolder model, torch::Tensor shown, DecoderTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return trained_; }
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  double rate_factor(const std::string& parameter) const override;
  // Real images, and decoded without and with the most noise.
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  torch::Tensor normalised_latents(const torch::Tensor& images);
  torch::Tensor decode(const torch::Tensor& latents);

  models::ModelFolder model_;
  std::shared_ptr<torch::nn::Module> trained_;
  models::PatchDiscriminator discriminator_{nullptr};
  torch::Tensor shown_;
  DecoderTaskOptions options_;
};

}  // namespace terragen::training
