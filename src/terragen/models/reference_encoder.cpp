#include "terragen/models/reference_encoder.h"

#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"
#include "terragen/nn/group_norm.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {
namespace {

// Patches of an image encoder are averaged to so many a side.
constexpr std::int64_t kSide = 4;

}  // namespace

void ReferenceEncoderConfig::validate() const {
  if (bands < 1) throw RequestError(std::format("reference encoder: {} bands are not possible", bands));
  if (token_dim < 1) throw RequestError(std::format("reference encoder: token_dim {} is not positive", token_dim));
  if (vision) {
    vision->validate();
    if (size != vision->image_size) {
      throw RequestError(std::format("reference encoder: pictures of {} pixels, the image encoder takes {}", size,
                                     vision->image_size));
    }
    if (bands < 3) throw RequestError(std::format("reference encoder: an image encoder needs 3 bands, not {}", bands));
    if (vision->patches_a_side() < kSide) {
      throw RequestError(std::format("reference encoder: an image encoder of {} patches a side sees too little",
                                     vision->patches_a_side()));
    }
    return;
  }
  if (channels.empty()) throw RequestError("reference encoder: channels is empty");
  for (const std::int64_t c : channels) {
    if (c <= 0 || c % 8 != 0) throw RequestError(std::format("reference encoder: channels {} is no multiple of 8", c));
  }
  if (size < 1 || size > 1024 || channels.size() > 10 || size % (std::int64_t{1} << channels.size()) != 0) {
    throw RequestError(std::format("reference encoder: {} pixels cannot be halved {} times", size, channels.size()));
  }
}

std::int64_t ReferenceEncoderConfig::tokens() const {
  if (vision) return 1 + kSide * kSide;
  const std::int64_t side = size >> channels.size();
  return side * side;
}

Json to_json(const ReferenceEncoderConfig& config) {
  Json json = {{"_class_name", "ReferenceEncoder"},
               {"bands", config.bands},
               {"size", config.size},
               {"channels", config.channels},
               {"token_dim", config.token_dim}};
  if (config.vision) json["vision"] = to_json(*config.vision);
  return json;
}

ReferenceEncoderConfig reference_encoder_config_from_json(const Json& value, const std::string& place) {
  ReferenceEncoderConfig config;
  config.bands = json_member<std::int64_t>(value, "bands", place);
  config.size = json_member<std::int64_t>(value, "size", place);
  config.channels = json_member<std::vector<std::int64_t>>(value, "channels", place);
  config.token_dim = json_member<std::int64_t>(value, "token_dim", place);
  if (value.contains("vision")) config.vision = clip_vision_config_from_json(value.at("vision"), place + ": vision");
  blame_file(place, [&] { config.validate(); });
  return config;
}

ReferenceEncoderImpl::ReferenceEncoderImpl(ReferenceEncoderConfig config) : config_(std::move(config)) {
  config_.validate();
  if (config_.vision) {
    vision_ = register_module("vision", ClipVisionModel(*config_.vision));
    freeze_vision();
    // The class token or patch, and the share of the thing in it.
    project_seen_ = register_module("project", torch::nn::Linear(config_.vision->hidden_size + 1, config_.token_dim));
  } else {
    add_levels();
  }
  norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config_.token_dim})));
  positions_ = register_parameter("positions", 0.02 * torch::randn({config_.tokens(), config_.token_dim}));
}

void ReferenceEncoderImpl::add_levels() {
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
}

void ReferenceEncoderImpl::freeze_vision() {
  for (torch::Tensor& parameter : vision_->parameters()) parameter.set_requires_grad(false);
}

void ReferenceEncoderImpl::adopt_vision(const ClipVisionModel& vision) {
  if (!config_.vision || to_json(*config_.vision) != to_json(vision->config())) {
    throw InternalError("[ReferenceEncoder] the image encoder is not the config's");
  }
  vision_ = replace_module("vision", vision);
  freeze_vision();
}

torch::Tensor ReferenceEncoderImpl::seen_by_vision(const torch::Tensor& pictures) {
  const std::int64_t n = pictures.size(0);
  const std::int64_t side = config_.vision->patches_a_side();
  torch::Tensor states;
  {
    const torch::NoGradGuard no_grad;
    states = vision_->forward(pictures.narrow(1, 0, 3) * 0.5 + 0.5).last_hidden_state;
  }
  const torch::Tensor patches = states.narrow(1, 1, side * side).transpose(1, 2).reshape({n, -1, side, side});
  const torch::Tensor thing = pictures.narrow(1, config_.bands, 1).to(states.dtype());
  const auto averaged = [&](const torch::Tensor& x) {
    return at::adaptive_avg_pool2d(x, {kSide, kSide}).flatten(2).transpose(1, 2);
  };
  const torch::Tensor cells = torch::cat({averaged(patches), averaged(thing)}, 2);
  const torch::Tensor whole = torch::cat({states.narrow(1, 0, 1), thing.mean({2, 3}).unsqueeze(1)}, 2);
  return project_seen_(torch::cat({whole, cells}, 1));
}

torch::Tensor ReferenceEncoderImpl::forward(const torch::Tensor& pictures) {
  if (vision_) return norm_(seen_by_vision(pictures) + positions_);
  const torch::Tensor features = project_(levels_->forward(pictures.contiguous(at::MemoryFormat::ChannelsLast)));
  return norm_(features.flatten(2).transpose(1, 2) + positions_);
}

torch::Tensor ReferenceEncoderImpl::shares(const torch::Tensor& pictures) const {
  const torch::Tensor thing = pictures.narrow(1, config_.bands, 1);
  const std::int64_t side = config_.vision ? kSide : config_.size >> config_.channels.size();
  const torch::Tensor cells = at::adaptive_avg_pool2d(thing, {side, side}).flatten(1);
  return config_.vision ? torch::cat({thing.mean({2, 3}), cells}, 1) : cells;
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
