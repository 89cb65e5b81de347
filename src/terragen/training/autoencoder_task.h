// Training of the autoencoder: absolute error, error of the local differences, and a weak pull of the latent to N(0,
// 1).
#pragma once

#include "terragen/models/autoencoder.h"
#include "terragen/models/model_folder.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct AutoencoderTaskOptions {
  double difference_weight = 0.5;  // of the error of horizontal and vertical differences
  double kl_weight = 1e-6;         // of KL(q(z|x) || N(0, 1)), mean over the latent's elements

  void validate() const;
};

class AutoencoderTask : public Task {
 public:
  // `card`: told with the model. `statistics`: [n, B, H, W] in [-1, 1], training images from which the latent's mean
  // and deviation are measured whenever the model is saved; the first eight are shown in previews.
  AutoencoderTask(models::AutoencoderKL autoencoder, models::ImageInfo images, Json card, torch::Tensor statistics,
                  AutoencoderTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return autoencoder_.ptr(); }
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  models::AutoencoderKL autoencoder_;
  models::ImageInfo images_;
  Json card_;
  torch::Tensor statistics_;
  AutoencoderTaskOptions options_;
};

}  // namespace terragen::training
