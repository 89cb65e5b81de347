#include "terragen/models/patch_discriminator.h"

#include "terragen/nn/group_norm.h"

namespace terragen::models {
namespace {

namespace tn = torch::nn;

tn::Conv2d halving(std::int64_t in, std::int64_t out) {
  return tn::Conv2d(tn::Conv2dOptions(in, out, 4).stride(2).padding(1));
}

tn::LeakyReLU rectifier() { return tn::LeakyReLU(tn::LeakyReLUOptions().negative_slope(0.2)); }

}  // namespace

PatchDiscriminatorImpl::PatchDiscriminatorImpl(std::int64_t bands) {
  constexpr std::int64_t kWidth = 32;
  layers_ = register_module(
      "layers",
      tn::Sequential(halving(bands, kWidth), rectifier(), halving(kWidth, 2 * kWidth), nn::GroupNorm(8, 2 * kWidth),
                     rectifier(), halving(2 * kWidth, 4 * kWidth), nn::GroupNorm(8, 4 * kWidth), rectifier(),
                     tn::Conv2d(tn::Conv2dOptions(4 * kWidth, 1, 3).padding(1))));
}

torch::Tensor PatchDiscriminatorImpl::forward(const torch::Tensor& image) {
  return layers_->forward(image).to(torch::kFloat32);
}

}  // namespace terragen::models
