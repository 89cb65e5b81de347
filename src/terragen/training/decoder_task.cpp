#include "terragen/training/decoder_task.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/diffusion/objective.h"
#include "terragen/layout/caption.h"
#include "terragen/tensor/seeded_noise.h"
#include "terragen/training/adversarial_game.h"
#include "terragen/training/reconstruction_error.h"
#include "terragen/training/sample_grid.h"

namespace terragen::training {
namespace {

enum DecoderStream : std::uint64_t { kShare, kDenoised, kLatentNoise };

}  // namespace

void DecoderTaskOptions::validate() const {
  if (!(latent_noise >= 0))
    throw RequestError(std::format("latent_noise is {}, it must not be negative", latent_noise));
  if (denoise_steps < 0) throw RequestError(std::format("denoise_steps is {}, it must not be negative", denoise_steps));
  if (!(adversarial_weight >= 0))
    throw RequestError(std::format("adversarial_weight is {}, it must not be negative", adversarial_weight));
  if (!(rate_factor > 0))
    throw RequestError(std::format("adversarial_rate_factor is {}, it must be positive", rate_factor));
}

DecoderTask::DecoderTask(models::ModelFolder model, models::LayoutEncoder encoder, shards::Batch shown,
                         DecoderTaskOptions options)
    : model_(std::move(model)), encoder_(std::move(encoder)), shown_(std::move(shown)), options_(options) {
  options_.validate();
  if (!model_.autoencoder) throw InternalError("[DecoderTask] the model holds no autoencoder");
  if (options_.denoise_steps > 0) {
    if (!model_.unet || !encoder_) {
      throw RequestError("the model holds no generator that could denoise latents",
                         "train the decoder after the generator, or set denoise_steps to 0");
    }
    schedule_ = std::make_unique<diffusion::NoiseSchedule>(
        diffusion::scheduler_config_from_json(model_.scheduler, "scheduler"));
    if (options_.denoise_steps > schedule_->steps()) {
      throw RequestError(
          std::format("denoise_steps is {}, the model knows {}", options_.denoise_steps, schedule_->steps()));
    }
  }
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

torch::Tensor DecoderTask::painted_alike(const torch::Tensor& latents, const std::vector<layout::Layout>& layouts,
                                         const torch::Tensor& share, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = latents.device();
  const auto noise = [&](DecoderStream stream) {
    return tensor::seeded_normal(latents.sizes().vec(), derive_seed(seed, stream)).to(device);
  };
  torch::Tensor result = latents;
  if (schedule_) {
    if (model_.unet->parameters().front().device() != device) {
      model_.unet->to(device);
      encoder_->to(device);
    }
    const torch::Tensor t = (share * static_cast<double>(options_.denoise_steps - 1)).to(torch::kInt64);
    models::LayoutEncoding encoding =
        encoder_->forward(models::layout_tensors(layouts, encoder_->config().tensor_options(0)).to(device), {});
    if (model_.captions) {
      model_.captions->to(device);
      encoding.text = model_.captions->encode(layout::captions_of(layouts, encoder_->config().taxonomy));
    }
    const torch::Tensor noisy = schedule_->add_noise(latents, noise(kDenoised), t);
    const torch::Tensor output = model_.unet->forward(
        torch::cat({noisy, torch::zeros_like(latents), torch::ones_like(latents.slice(1, 0, 1))}, 1), t.to(device),
        models::condition_of(encoding));
    const auto prediction = json_member<std::string>(model_.scheduler, "prediction_type", "scheduler");
    result = diffusion::predicted_original(*schedule_, prediction, noisy, output.to(torch::kFloat32), t);
  }
  return result + share.view({-1, 1, 1, 1}).to(device) * options_.latent_noise * noise(kLatentNoise);
}

torch::Tensor DecoderTask::decode(const torch::Tensor& latents) {
  return model_.autoencoder->decode(model_.autoencoder->denormalise(latents)).to(torch::kFloat32);
}

torch::Tensor DecoderTask::loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) {
  const torch::Tensor latents = normalised_latents(batch.images);
  const torch::Tensor images = batch.images.to(latents.device());
  const torch::Tensor valid = batch.valid.to(latents.device());
  const torch::Tensor share = tensor::seeded_uniform({latents.size(0)}, derive_seed(seed, kShare));
  const torch::Tensor decoded = decode(painted_alike(latents, batch.layouts, share, seed));
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
  const torch::Tensor latents = normalised_latents(shown_.images);
  const torch::Tensor painted = painted_alike(latents, shown_.layouts, torch::ones({latents.size(0)}), 0);
  write_sample_grid(
      png, {{"real", shown_.images}, {"decoded", decode(latents).cpu()}, {"as painted", decode(painted).cpu()}});
}

void DecoderTask::save(const std::filesystem::path& folder) { models::save_model(model_, folder); }

Json DecoderTask::settings() const {
  return {{"task", "decoder"},
          {"difference_weight", options_.difference_weight},
          {"latent_noise", options_.latent_noise},
          {"denoise_steps", options_.denoise_steps},
          {"adversarial_weight", options_.adversarial_weight},
          {"adversarial_rate_factor", options_.rate_factor},
          {"autoencoder", models::to_json(model_.autoencoder->config())}};
}

}  // namespace terragen::training
