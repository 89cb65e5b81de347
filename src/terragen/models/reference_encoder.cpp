#include "terragen/models/reference_encoder.h"

#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/nn/group_norm.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {

void ReferenceEncoderConfig::validate() const {
  if (bands < 1) throw RequestError(std::format("reference encoder: {} bands are not possible", bands));
  if (channels.empty()) throw RequestError("reference encoder: channels is empty");
  for (const std::int64_t c : channels) {
    if (c <= 0 || c % 8 != 0) throw RequestError(std::format("reference encoder: channels {} is no multiple of 8", c));
  }
  if (size < 1 || size > 1024 || channels.size() > 10 || size % (std::int64_t{1} << channels.size()) != 0) {
    throw RequestError(std::format("reference encoder: {} pixels cannot be halved {} times", size, channels.size()));
  }
  if (token_dim < 1) throw RequestError(std::format("reference encoder: token_dim {} is not positive", token_dim));
}

std::int64_t ReferenceEncoderConfig::tokens() const {
  const std::int64_t side = size >> channels.size();
  return side * side;
}

Json to_json(const ReferenceEncoderConfig& config) {
  return {{"_class_name", "ReferenceEncoder"},
          {"bands", config.bands},
          {"size", config.size},
          {"channels", config.channels},
          {"token_dim", config.token_dim}};
}

ReferenceEncoderConfig reference_encoder_config_from_json(const Json& value, const std::string& place) {
  ReferenceEncoderConfig config;
  config.bands = json_member<std::int64_t>(value, "bands", place);
  config.size = json_member<std::int64_t>(value, "size", place);
  config.channels = json_member<std::vector<std::int64_t>>(value, "channels", place);
  config.token_dim = json_member<std::int64_t>(value, "token_dim", place);
  blame_file(place, [&] { config.validate(); });
  return config;
}

ReferenceEncoderImpl::ReferenceEncoderImpl(ReferenceEncoderConfig config) : config_(std::move(config)) {
  config_.validate();
  levels_ = register_module("levels", torch::nn::Sequential());
  std::int64_t in = config_.bands + 1;
  for (const std::int64_t out : config_.channels) {
    levels_->push_back(nn::conv3x3(in, out, 2));
    levels_->push_back(nn::GroupNorm(8, out));
    levels_->push_back(torch::nn::SiLU());
    levels_->push_back(nn::conv3x3(out, out, 1));
    levels_->push_back(nn::GroupNorm(8, out));
    levels_->push_back(torch::nn::SiLU());
    in = out;
  }
  project_ = register_module("project", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, config_.token_dim, 1)));
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config_.token_dim})));
  positions_ = register_parameter("positions", 0.02 * torch::randn({config_.tokens(), config_.token_dim}));
}

torch::Tensor ReferenceEncoderImpl::forward(const torch::Tensor& pictures) {
  const torch::Tensor features = project_(levels_->forward(pictures.contiguous(at::MemoryFormat::ChannelsLast)));
  return norm_(features.flatten(2).transpose(1, 2) + positions_);
}

LayoutEncoding with_references(LayoutEncoding layout, const torch::Tensor& references, const torch::Tensor& present) {
  if (!layout.tokens.defined() || layout.tokens.size(2) != references.size(2)) {
    throw InternalError("[with_references] the layout has no tokens of the references' width");
  }
  layout.tokens = torch::cat({layout.tokens, references.to(layout.tokens.dtype())}, 1);
  layout.token_mask = torch::cat(
      {layout.token_mask, present.to(layout.token_mask.device()).unsqueeze(1).expand({-1, references.size(1)})}, 1);
  return layout;
}

}  // namespace terragen::models
