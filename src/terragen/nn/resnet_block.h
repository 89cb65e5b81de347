// Convolutional blocks of U-Net and autoencoder, with diffusers' parameter names.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "terragen/nn/group_norm.h"

namespace terragen::nn {

// norm1, SiLU, conv1, + time, norm2, SiLU, conv2, + shortcut.
class ResnetBlock2DImpl : public torch::nn::Module {
 public:
  // time_dim 0: no time embedding.
  ResnetBlock2DImpl(std::int64_t in, std::int64_t out, std::int64_t time_dim, std::int64_t groups, double eps);
  // x: [N, in, H, W]; time: [N, time_dim] or undefined; result: [N, out, H, W].
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& time);

 private:
  GroupNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv_shortcut_{nullptr};
  torch::nn::Linear time_emb_proj_{nullptr};
};
TORCH_MODULE(ResnetBlock2D);

// Halves height and width with a stride-2 convolution: padded by one all round, or (autoencoder) right and below only.
class Downsample2DImpl : public torch::nn::Module {
 public:
  Downsample2DImpl(std::int64_t channels, bool asymmetric);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  bool asymmetric_;
  torch::nn::Conv2d conv_{nullptr};
};
TORCH_MODULE(Downsample2D);

// Nearest-neighbour upsampling and a convolution.
class Upsample2DImpl : public torch::nn::Module {
 public:
  explicit Upsample2DImpl(std::int64_t channels);
  // Doubles height and width, or gives exactly `size` {H, W}.
  torch::Tensor forward(const torch::Tensor& x, std::optional<std::vector<std::int64_t>> size = std::nullopt);

 private:
  torch::nn::Conv2d conv_{nullptr};
};
TORCH_MODULE(Upsample2D);

// A 3x3 convolution with padding 1.
torch::nn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride = 1);

}  // namespace terragen::nn
