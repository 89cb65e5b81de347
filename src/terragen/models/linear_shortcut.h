// A linear autoencoder of square cells beside the convolutional one: what principal components explain need not be
// learned, so that a few minutes of training are spent on the rest. In the spirit of the space-to-channel shortcuts of
// DC-AE (Chen et al., 2024, arXiv 2410.10733), with learned instead of averaged projections.
#pragma once

#include <torch/torch.h>

namespace terragen::models {

class LinearShortcutImpl : public torch::nn::Module {
 public:
  // `cell`: pixels a latent cell is wide.
  LinearShortcutImpl(std::int64_t in_bands, std::int64_t out_bands, std::int64_t latent_channels, std::int64_t cell);

  torch::Tensor encode(const torch::Tensor& image);  // [N, B, H, W] -> [N, C, H / cell, W / cell]
  torch::Tensor decode(const torch::Tensor& z);      // [N, C, h, w] -> [N, B, h * cell, w * cell]

  // Sets both maps to the leading principal components of the images' cells, latents with mean 0 and deviation 1.
  // images: [N, B, H, W]; cells that are not finite are left out. RequestError when the images have fewer distinct
  // directions than the latent has channels.
  void fit(const torch::Tensor& images);
  // How far a latent channel moves the pixels, root mean square over a cell: [C].
  torch::Tensor reach() const;

 private:
  std::int64_t cell_;
  torch::nn::Conv2d down_{nullptr}, up_{nullptr};
};
TORCH_MODULE(LinearShortcut);

}  // namespace terragen::models
