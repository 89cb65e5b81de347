#include "terragen/training/decoder_task.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/adversarial_game.h"
#include "terragen/training/reconstruction_error.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {
namespace {

enum DecoderStream : std::uint64_t { kShare, kLatentNoise };

}  // namespace

void DecoderTaskOptions::validate() const {
  if (!(latent_noise >= 0)) throw RequestError(std::format("latent_noise is {}, it must not be negative", latent_noise));
  if (!(adversarial_weight >= 0))
    throw RequestError(std::format("adversarial_weight is {}, it must not be negative", adversarial_weight));
  if (!(rate_factor > 0))
    throw RequestError(std::format("adversarial_rate_factor is {}, it must be positive", rate_factor));
}

DecoderTask::DecoderTask(models::ModelFolder model, torch::Tensor shown, DecoderTaskOptions options)
    : model_(std::move(model)), shown_(std::move(shown)), options_(options) {
  options_.validate();
  if (!model_.autoencoder) throw InternalError("[DecoderTask] the model holds no autoencoder");
  trained_ = std::make_shared<torch::nn::Module>("decoder");
  const auto parts = model_.autoencoder->named_children();
  for (const char* name : {"decoder", "post_quant_conv", "linear_shortcut"}) {
    if (parts.contains(name)) trained_->register_module(name, parts[name]);
  }
  if (options_.adversarial_weight > 0) {
    discriminator_ = models::PatchDiscriminator(model_.autoencoder->config().out_channels);
    trained_->register_module("discriminator", discriminator_.ptr());
  }
}

torch::Tensor DecoderTask::normalised_latents(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;  // the encoder stays as it is, and so does the shortcut's half of it
  const torch::Device device = trained_->parameters().front().device();
  if (model_.autoencoder->parameters().front().device() != device) model_.autoencoder->to(device);
  return model_.autoencoder->normalise(
      model_.autoencoder->encode(images.to(device).contiguous(at::MemoryFormat::ChannelsLast)).mean);
}

torch::Tensor DecoderTask::decode(const torch::Tensor& latents) {
  return model_.autoencoder->decode(model_.autoencoder->denormalise(latents)).to(torch::kFloat32);
}

torch::Tensor DecoderTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const torch::Tensor latents = normalised_latents(batch.images);
  const torch::Tensor images = batch.images.to(latents.device());
  const torch::Tensor valid = batch.valid.to(latents.device());
  const torch::Tensor share =
      tensor::seeded_uniform({latents.size(0), 1, 1, 1}, derive_seed(seed, kShare)) * options_.latent_noise;
  const torch::Tensor noise = tensor::seeded_normal(latents.sizes().vec(), derive_seed(seed, kLatentNoise));
  const torch::Tensor decoded = decode(latents + (share * noise).to(latents.device()));
  const ReconstructionError error = reconstruction_error(decoded, images, valid);
  scalars["psnr"] = psnr_of(error.square.item<double>());
  scalars["absolute_error"] = error.absolute.item<double>();
  const torch::Tensor loss = error.absolute + options_.difference_weight * error.differences;
  if (!discriminator_) return loss;
  const Judge judge = [&](const torch::Tensor& shown) {
    return std::vector<torch::Tensor>{discriminator_->forward(shown * valid)};
  };
  const AdversarialLosses losses =
      adversarial_losses(judge, decoded, images, torch::ones({images.size(0)}, images.options()), scalars);
  return balanced(loss, losses, decoded, options_.adversarial_weight, scalars);
}

double DecoderTask::rate_factor(const std::string& parameter) const {
  return parameter.starts_with("discriminator.") ? options_.rate_factor : 1.0;
}

void DecoderTask::write_preview(const std::filesystem::path& png) {
  const torch::Tensor latents = normalised_latents(shown_);
  const torch::Tensor noise = tensor::seeded_normal(latents.sizes().vec(), 0).to(latents.device());
  write_sample_grid(png, {{"real", shown_},
                          {"decoded", decode(latents).cpu()},
                          {"noised", decode(latents + options_.latent_noise * noise).cpu()}});
}

void DecoderTask::save(const std::filesystem::path& folder) { models::save_model(model_, folder); }

Json DecoderTask::settings() const {
  return {{"task", "decoder"},
          {"difference_weight", options_.difference_weight},
          {"latent_noise", options_.latent_noise},
          {"adversarial_weight", options_.adversarial_weight},
          {"adversarial_rate_factor", options_.rate_factor},
          {"autoencoder", models::to_json(model_.autoencoder->config())}};
}

}  // namespace terragen::training
