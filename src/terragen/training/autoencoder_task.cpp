#include "terragen/training/autoencoder_task.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/reconstruction_error.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {

void AutoencoderTaskOptions::validate() const {
  if (!(difference_weight >= 0)) {
    throw RequestError(std::format("difference_weight is {}, it must not be negative", difference_weight));
  }
  if (!(kl_weight >= 0)) throw RequestError(std::format("kl_weight is {}, it must not be negative", kl_weight));
}

AutoencoderTask::AutoencoderTask(models::AutoencoderKL autoencoder, models::ImageInfo images, Json card,
                                 torch::Tensor statistics, AutoencoderTaskOptions options)
    : autoencoder_(std::move(autoencoder)),
      images_(std::move(images)),
      card_(std::move(card)),
      statistics_(std::move(statistics)),
      options_(options) {
  options_.validate();
}

torch::Tensor AutoencoderTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const torch::Device device = autoencoder_->parameters().front().device();
  const torch::Tensor images = batch.images.to(device).contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor valid = batch.valid.to(device);
  const models::Posterior posterior = autoencoder_->encode(images);
  const torch::Tensor noise = tensor::seeded_normal(posterior.mean.sizes().vec(), seed).to(device);
  const torch::Tensor decoded = autoencoder_->decode(posterior.sample(noise)).to(torch::kFloat32);
  const ReconstructionError error = reconstruction_error(decoded, images, valid);
  const torch::Tensor mean = posterior.mean.to(torch::kFloat32);
  const torch::Tensor logvar = posterior.logvar.to(torch::kFloat32);
  const torch::Tensor kl = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean();
  scalars["psnr"] = psnr_of(error.square.item<double>());
  scalars["absolute_error"] = error.absolute.item<double>();
  scalars["kl"] = kl.item<double>();
  return error.absolute + options_.difference_weight * error.differences + options_.kl_weight * kl;
}

void AutoencoderTask::write_preview(const std::filesystem::path& png) {
  const torch::Device device = autoencoder_->parameters().front().device();
  const torch::Tensor images = statistics_.slice(0, 0, 8).to(device);
  const torch::Tensor decoded = autoencoder_->decode(autoencoder_->encode(images).mean).to(torch::kFloat32).cpu();
  write_sample_grid(png, {{"real", statistics_.slice(0, 0, 8)}, {"decoded", decoded}});
}

void AutoencoderTask::save(const std::filesystem::path& folder) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = autoencoder_->parameters().front().device();
  std::vector<torch::Tensor> means;
  for (std::int64_t i = 0; i < statistics_.size(0); i += 8) {
    means.push_back(autoencoder_->encode(statistics_.slice(0, i, i + 8).to(device)).mean.to(torch::kFloat32).cpu());
  }
  const torch::Tensor all = torch::cat(means).transpose(0, 1).flatten(1).to(torch::kFloat64);
  const torch::Tensor mean = all.mean(1);
  const torch::Tensor deviation = (all.std(1).clamp_min(1e-6) / autoencoder_->channel_weights()).contiguous();
  autoencoder_->set_latent_statistics(
      std::vector<double>(mean.data_ptr<double>(), mean.data_ptr<double>() + mean.numel()),
      std::vector<double>(deviation.data_ptr<double>(), deviation.data_ptr<double>() + deviation.numel()));
  models::ModelFolder model;
  model.images = images_;
  model.card = card_;
  model.autoencoder = autoencoder_;
  models::save_model(model, folder);
}

Json AutoencoderTask::settings() const {
  return {{"task", "autoencoder"},
          {"difference_weight", options_.difference_weight},
          {"kl_weight", options_.kl_weight},
          {"autoencoder", models::to_json(autoencoder_->config())}};
}

}  // namespace terragen::training
