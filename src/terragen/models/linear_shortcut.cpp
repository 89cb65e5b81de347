#include "terragen/models/linear_shortcut.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

LinearShortcutImpl::LinearShortcutImpl(std::int64_t in_bands, std::int64_t out_bands, std::int64_t latent_channels,
                                       std::int64_t cell)
    : cell_(cell) {
  down_ = register_module("down", tn::Conv2d(tn::Conv2dOptions(in_bands * cell * cell, latent_channels, 1)));
  up_ = register_module("up", tn::Conv2d(tn::Conv2dOptions(latent_channels, out_bands * cell * cell, 1)));
}

torch::Tensor LinearShortcutImpl::encode(const torch::Tensor& image) {
  return down_(torch::pixel_unshuffle(image, cell_).contiguous(at::MemoryFormat::ChannelsLast));
}

torch::Tensor LinearShortcutImpl::decode(const torch::Tensor& z) { return torch::pixel_shuffle(up_(z), cell_); }

torch::Tensor LinearShortcutImpl::reach() const { return up_->weight.detach().square().mean({0, 2, 3}).sqrt(); }

void LinearShortcutImpl::fit(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  const std::int64_t channels = down_->weight.size(0);
  torch::Tensor rows = torch::pixel_unshuffle(images, cell_).permute({0, 2, 3, 1}).flatten(0, 2).to(torch::kFloat64);
  rows = rows.index_select(0, rows.isfinite().all(1).nonzero().squeeze(1));
  const torch::Tensor mean = rows.mean(0);
  const torch::Tensor centred = rows - mean;
  const torch::Tensor covariance = centred.t().matmul(centred) / static_cast<double>(rows.size(0));
  const auto [values, vectors] = torch::linalg_eigh(covariance, "L");  // ascending
  const std::int64_t all = values.size(0);
  if (channels > all || values[all - channels].item<double>() <= 0) {
    throw RequestError(
        std::format("{} latent channels are more than the images' {}x{} cells can fill", channels, cell_, cell_));
  }
  const torch::Tensor axes = vectors.slice(1, all - channels, all).flip(1);
  const torch::Tensor spread = values.slice(0, all - channels, all).flip(0).sqrt();
  const torch::Tensor down = axes.t() / spread.unsqueeze(1);
  down_->weight.copy_(down.view_as(down_->weight));
  down_->bias.copy_(-down.matmul(mean));
  up_->weight.copy_((axes * spread.unsqueeze(0)).reshape(up_->weight.sizes()));
  up_->bias.copy_(mean);
}

}  // namespace terragen::models
