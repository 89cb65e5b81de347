#include "terragen/models/autoencoder.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/models/autoencoder_halves.h"

namespace terragen::models {

namespace tn = torch::nn;

torch::Tensor Posterior::kl() const { return 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).sum({1, 2, 3}); }

AutoencoderKLImpl::AutoencoderKLImpl(AutoencoderConfig config) : config_(std::move(config)) {
  config_.validate();
  const std::int64_t c = config_.latent_channels;
  const Encoder encoder(config_);
  const Decoder decoder(config_);
  encoder_ = register_module("encoder", encoder.ptr());
  decoder_ = register_module("decoder", decoder.ptr());
  if (config_.use_quant_conv)
    quant_conv_ = register_module("quant_conv", tn::Conv2d(tn::Conv2dOptions(2 * c, 2 * c, 1)));
  if (config_.use_post_quant_conv) {
    post_quant_conv_ = register_module("post_quant_conv", tn::Conv2d(tn::Conv2dOptions(c, c, 1)));
  }
  if (config_.linear_shortcut) {
    linear_shortcut_ = register_module(
        "linear_shortcut", LinearShortcut(config_.in_channels, config_.out_channels, c, config_.downscale()));
  }
}

Posterior AutoencoderKLImpl::encode(const torch::Tensor& image, const Trace& trace) {
  if (image.dim() != 4 || image.size(1) != config_.in_channels || image.size(2) % config_.downscale() != 0 ||
      image.size(3) % config_.downscale() != 0) {
    throw InternalError(std::format("[AutoencoderKL] cannot encode an image of {} bands and {}x{} pixels",
                                    image.size(1), image.size(-1), image.size(-2)));
  }
  torch::Tensor moments = encoder_->as<Encoder>()->forward(image, trace);
  if (quant_conv_) moments = quant_conv_(moments);
  // The distribution is formed in full precision: its spread decides what noise means.
  const auto parts = moments.to(torch::kFloat32).chunk(2, 1);
  const torch::Tensor mean = linear_shortcut_ ? parts[0] + linear_shortcut_->encode(image) : parts[0];
  return {mean.to(torch::kFloat32), parts[1].clamp(-30.0, 20.0)};
}

torch::Tensor AutoencoderKLImpl::decode(const torch::Tensor& z, const Trace& trace) {
  const torch::Tensor image = decoder_->as<Decoder>()->forward(post_quant_conv_ ? post_quant_conv_(z) : z, trace);
  return linear_shortcut_ ? image + linear_shortcut_->decode(z) : image;
}

void AutoencoderKLImpl::fit_shortcut(const torch::Tensor& images) {
  if (!linear_shortcut_) throw InternalError("[AutoencoderKL] there is no linear shortcut to fit");
  const torch::NoGradGuard no_grad;
  linear_shortcut_->fit(images);
  for (auto& parameter : named_parameters()) {
    if (parameter.key().find("conv_out") != std::string::npos) parameter.value().zero_();
    // A spread of e^-4 beside latents of deviation 1: noise enough to smooth the decoder, too little to blur it.
    if (parameter.key() == "encoder.conv_out.bias") parameter.value().slice(0, config_.latent_channels).fill_(-8.0);
  }
}

torch::Tensor AutoencoderKLImpl::statistics(const std::vector<double>& values, const torch::Tensor& like) const {
  return torch::tensor(values, like.options()).view({1, -1, 1, 1});
}

torch::Tensor AutoencoderKLImpl::normalise(const torch::Tensor& z) const {
  if (config_.latents_mean.empty()) return z * config_.scaling_factor;
  return (z - statistics(config_.latents_mean, z)) / statistics(config_.latents_std, z);
}

torch::Tensor AutoencoderKLImpl::denormalise(const torch::Tensor& latent) const {
  if (config_.latents_mean.empty()) return latent / config_.scaling_factor;
  return latent * statistics(config_.latents_std, latent) + statistics(config_.latents_mean, latent);
}

torch::Tensor AutoencoderKLImpl::channel_weights() const {
  if (!linear_shortcut_) return torch::ones({config_.latent_channels}, torch::kFloat64);
  const torch::Tensor root = linear_shortcut_->reach().to(torch::kCPU, torch::kFloat64).clamp_min(1e-6).sqrt();
  return root / root.square().mean().sqrt();
}

void AutoencoderKLImpl::set_latent_statistics(std::vector<double> mean, std::vector<double> deviation) {
  config_.latents_mean = std::move(mean);
  config_.latents_std = std::move(deviation);
  config_.validate();
}

}  // namespace terragen::models
