// The autoencoder between images and latents: diffusers' AutoencoderKL for any number of bands.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/autoencoder_config.h"
#include "terragen/models/linear_shortcut.h"
#include "terragen/models/unet.h"

namespace terragen::models {

// The distribution of a latent: a diagonal Gaussian. Both [N, C, h, w], float32.
struct Posterior {
  torch::Tensor mean;
  torch::Tensor logvar;  // in [-30, 20]
  torch::Tensor sample(const torch::Tensor& noise) const { return mean + (0.5 * logvar).exp() * noise; }
  // KL divergence to N(0, 1) summed over a sample's elements: [N].
  torch::Tensor kl() const;
};

class AutoencoderKLImpl : public torch::nn::Module {
 public:
  explicit AutoencoderKLImpl(AutoencoderConfig config);
  const AutoencoderConfig& config() const { return config_; }

  // image: [N, B, H, W] in [-1, 1], H and W multiples of config().downscale().
  Posterior encode(const torch::Tensor& image, const Trace& trace = {});
  // z: [N, C, h, w]; result: [N, B, H, W].
  torch::Tensor decode(const torch::Tensor& z, const Trace& trace = {});

  // Between the encoder's latents and those the generator sees, which have mean 0 and on average deviation 1.
  torch::Tensor normalise(const torch::Tensor& z) const;
  torch::Tensor denormalise(const torch::Tensor& latent) const;
  // Starts a new autoencoder with a linear shortcut at the images' principal components, its networks at zero.
  // images: [N, B, H, W].
  void fit_shortcut(const torch::Tensor& images);
  // The deviations of the channels that the generator sees, root mean square 1: [C]. Where a linear shortcut says how
  // far a channel moves the pixels they follow the square root of that, else they are equal. Latents of equal deviation
  // would make the finest texture weigh as much as the mean colour, and be decided at the same noise.
  torch::Tensor channel_weights() const;
  // Of the encoder's latents, measured on training images once training has ended.
  void set_latent_statistics(std::vector<double> mean, std::vector<double> deviation);

 private:
  torch::Tensor statistics(const std::vector<double>& values, const torch::Tensor& like) const;

  AutoencoderConfig config_;
  std::shared_ptr<torch::nn::Module> encoder_, decoder_;
  torch::nn::Conv2d quant_conv_{nullptr}, post_quant_conv_{nullptr};
  LinearShortcut linear_shortcut_{nullptr};
};
TORCH_MODULE(AutoencoderKL);

}  // namespace terragen::models
