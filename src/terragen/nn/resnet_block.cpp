#include "terragen/nn/resnet_block.h"

namespace terragen::nn {

namespace tn = torch::nn;

tn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return tn::Conv2d(tn::Conv2dOptions(in, out, 3).stride(stride).padding(1));
}

ResnetBlock2DImpl::ResnetBlock2DImpl(std::int64_t in, std::int64_t out, std::int64_t time_dim, std::int64_t groups,
                                     double eps) {
  norm1_ = register_module("norm1", GroupNorm(groups, in, eps));
  conv1_ = register_module("conv1", conv3x3(in, out));
  if (time_dim > 0) time_emb_proj_ = register_module("time_emb_proj", tn::Linear(time_dim, out));
  norm2_ = register_module("norm2", GroupNorm(groups, out, eps));
  conv2_ = register_module("conv2", conv3x3(out, out));
  if (in != out) conv_shortcut_ = register_module("conv_shortcut", tn::Conv2d(tn::Conv2dOptions(in, out, 1)));
}

torch::Tensor ResnetBlock2DImpl::forward(const torch::Tensor& x, const torch::Tensor& time) {
  torch::Tensor h = conv1_(norm1_->silu(x));
  if (time_emb_proj_) h = h + time_emb_proj_(torch::silu(time)).unsqueeze(-1).unsqueeze(-1).to(h.scalar_type());
  h = conv2_(norm2_->silu(h));
  return h + (conv_shortcut_ ? conv_shortcut_(x) : x);
}

Downsample2DImpl::Downsample2DImpl(std::int64_t channels, bool asymmetric) : asymmetric_(asymmetric) {
  conv_ = register_module("conv",
                          tn::Conv2d(tn::Conv2dOptions(channels, channels, 3).stride(2).padding(asymmetric ? 0 : 1)));
}

torch::Tensor Downsample2DImpl::forward(const torch::Tensor& x) {
  return conv_(asymmetric_ ? torch::constant_pad_nd(x, {0, 1, 0, 1}) : x);
}

Upsample2DImpl::Upsample2DImpl(std::int64_t channels) { conv_ = register_module("conv", conv3x3(channels, channels)); }

torch::Tensor Upsample2DImpl::forward(const torch::Tensor& x, std::optional<std::vector<std::int64_t>> size) {
  if (!size) size = std::vector<std::int64_t>{2 * x.size(2), 2 * x.size(3)};
  return conv_(at::upsample_nearest2d(x, *size));
}

}  // namespace terragen::nn
