#include "terragen/models/sam_layers.h"

#include <numbers>

#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

void register_at(tn::Module& root, const std::string& path, const std::shared_ptr<tn::Module>& part) {
  const std::size_t dot = path.find('.');
  const std::string name = path.substr(0, dot);
  if (dot == std::string::npos) {
    root.register_module(name, part);
    return;
  }
  const auto children = root.named_children();
  const auto* const child = children.find(name);
  const std::shared_ptr<tn::Module> next =
      child != nullptr ? *child : root.register_module(name, std::make_shared<tn::Module>("holder"));
  register_at(*next, path.substr(dot + 1), part);
}

torch::Tensor at_least_float32(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat64 ? x : x.to(torch::kFloat32);
}

ChannelNormImpl::ChannelNormImpl(std::int64_t channels) {
  weight_ = register_parameter("weight", torch::ones(channels));
  bias_ = register_parameter("bias", torch::zeros(channels));
}

torch::Tensor ChannelNormImpl::forward(const torch::Tensor& x) {
  // In two passes: channels are few, and where they hardly differ, what rounding leaves of their variance decides.
  const torch::Tensor full = at_least_float32(x);
  const torch::Tensor centred = full - full.mean(1, true);
  const torch::Tensor deviation = (centred.square().mean(1, true) + 1e-6).sqrt();
  return (centred / deviation * weight_.view({-1, 1, 1}) + bias_.view({-1, 1, 1})).to(x.scalar_type());
}

PerceptronImpl::PerceptronImpl(const std::vector<std::int64_t>& widths, const std::vector<std::string>& paths,
                               Activation activation)
    : activation_(activation) {
  if (widths.size() != paths.size() + 1) throw InternalError("a perceptron has one width more than it has layers");
  for (std::size_t i = 0; i < paths.size(); ++i) {
    layers_.emplace_back(widths[i], widths[i + 1]);
    register_at(*this, paths[i], layers_.back().ptr());
  }
}

torch::Tensor PerceptronImpl::forward(torch::Tensor x) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) x = activation_ == Activation::relu ? torch::relu(x) : torch::gelu(x);
    x = layers_[i](x);
  }
  return x;
}

Perceptron decoder_perceptron(SamFamily family, std::int64_t in, std::int64_t hidden, std::int64_t out,
                              std::int64_t layers) {
  const bool efficient = family == SamFamily::efficient_sam;
  std::vector<std::int64_t> widths(static_cast<std::size_t>(layers), hidden);
  widths.front() = in;
  widths.push_back(out);
  std::vector<std::string> paths;
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string path = "layers." + std::to_string(i);
    paths.push_back(!efficient ? path : i + 1 < layers ? path + ".0" : "fc");
  }
  return Perceptron(widths, paths, efficient ? Activation::gelu : Activation::relu);
}

RandomFourierEncodingImpl::RandomFourierEncodingImpl(std::int64_t channels) {
  matrix_ = register_buffer("positional_encoding_gaussian_matrix", torch::randn({2, channels / 2}));
}

torch::Tensor RandomFourierEncodingImpl::forward(const torch::Tensor& places) {
  const torch::Tensor signed_places = 2 * places.to(matrix_.scalar_type()) - 1;
  // Whatever precision products run in around here: the angles go through many turns.
  const c10::impl::ExcludeDispatchKeyGuard in_full(c10::autocast_dispatch_keyset);
  const torch::Tensor turns = torch::matmul(signed_places, matrix_);
  const torch::Tensor angles = turns * (2 * std::numbers::pi);
  return torch::cat({angles.sin(), angles.cos()}, -1);
}

torch::Tensor RandomFourierEncodingImpl::grid(std::int64_t side) {
  const torch::Tensor centres = (torch::arange(side, matrix_.options()) + 0.5) / static_cast<double>(side);
  const torch::Tensor x = centres.expand({side, side});
  return forward(torch::stack({x, x.t()}, -1)).permute({2, 0, 1}).unsqueeze(0);
}

}  // namespace terragen::models
