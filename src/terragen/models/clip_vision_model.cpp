#include "terragen/models/clip_vision_model.h"

#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

ClipLayerOptions ClipVisionConfig::layer() const {
  return {hidden_size, intermediate_size, num_attention_heads, hidden_act, layer_norm_eps};
}

void ClipVisionConfig::validate() const {
  const std::string who = "image encoder";
  layer().validate(who);
  if (num_hidden_layers <= 0 || num_hidden_layers > 256) {
    throw RequestError(std::format("{}: num_hidden_layers {} is not in 1..256", who, num_hidden_layers));
  }
  if (patch_size <= 0 || image_size <= 0 || image_size > 4096 || image_size % patch_size != 0) {
    throw RequestError(
        std::format("{}: image_size {} is no multiple of patch_size {}, or too large", who, image_size, patch_size));
  }
}

Json to_json(const ClipVisionConfig& config) {
  return {{"architectures", {"CLIPVisionModel"}},
          {"model_type", "clip_vision_model"},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_hidden_layers},
          {"num_attention_heads", config.num_attention_heads},
          {"image_size", config.image_size},
          {"patch_size", config.patch_size},
          {"hidden_act", config.hidden_act},
          {"layer_norm_eps", config.layer_norm_eps}};
}

ClipVisionConfig clip_vision_config_from_json(const Json& value, const std::string& place) {
  if (value.is_object() && value.contains("vision_config")) {
    return clip_vision_config_from_json(value.at("vision_config"), place + ": vision_config");
  }
  ClipVisionConfig config;
  // What transformers takes where a config is silent: the sizes of ViT-B/32.
  config.hidden_size = json_member_or<std::int64_t>(value, "hidden_size", 768, place);
  config.intermediate_size = json_member_or<std::int64_t>(value, "intermediate_size", 3072, place);
  config.num_hidden_layers = json_member_or<std::int64_t>(value, "num_hidden_layers", 12, place);
  config.num_attention_heads = json_member_or<std::int64_t>(value, "num_attention_heads", 12, place);
  config.image_size = json_member_or<std::int64_t>(value, "image_size", 224, place);
  config.patch_size = json_member_or<std::int64_t>(value, "patch_size", 32, place);
  config.hidden_act = json_member_or<std::string>(value, "hidden_act", "quick_gelu", place);
  config.layer_norm_eps = json_member_or<double>(value, "layer_norm_eps", 1e-5, place);
  blame_file(place, [&] { config.validate(); });
  return config;
}

ClipVisionModelImpl::ClipVisionModelImpl(ClipVisionConfig config) : config_(std::move(config)) {
  config_.validate();
  const std::int64_t d = config_.hidden_size;
  const std::int64_t side = config_.patches_a_side();
  const auto norm = [&] { return tn::LayerNorm(tn::LayerNormOptions({d}).eps(config_.layer_norm_eps)); };
  const auto model = register_module("vision_model", std::make_shared<tn::Module>("vision_model"));
  const auto embeddings = model->register_module("embeddings", std::make_shared<tn::Module>("embeddings"));
  class_embedding_ = embeddings->register_parameter("class_embedding", 0.02 * torch::randn({d}));
  patch_embedding_ = embeddings->register_module(
      "patch_embedding",
      tn::Conv2d(tn::Conv2dOptions(3, d, config_.patch_size).stride(config_.patch_size).bias(false)));
  position_embedding_ = embeddings->register_module("position_embedding", tn::Embedding(1 + side * side, d));
  pre_layrnorm_ = model->register_module("pre_layrnorm", norm());
  const auto encoder = model->register_module("encoder", std::make_shared<tn::Module>("encoder"));
  layers_ = encoder->register_module("layers", tn::ModuleList());
  for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) layers_->push_back(ClipLayer(config_.layer()));
  post_layernorm_ = model->register_module("post_layernorm", norm());
}

ClipVisionOutput ClipVisionModelImpl::forward(const torch::Tensor& images) {
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) != config_.image_size ||
      images.size(3) != config_.image_size) {
    throw InternalError("[ClipVisionModel] the images are not of the encoder's size");
  }
  const torch::Tensor mean = torch::tensor({0.48145466F, 0.4578275F, 0.40821073F}, images.options()).view({1, 3, 1, 1});
  const torch::Tensor spread =
      torch::tensor({0.26862954F, 0.26130258F, 0.27577711F}, images.options()).view({1, 3, 1, 1});
  const torch::Tensor patches = patch_embedding_((images - mean) / spread).flatten(2).transpose(1, 2);
  const torch::Tensor first = class_embedding_.to(patches.dtype()).expand({images.size(0), 1, -1});
  torch::Tensor h = pre_layrnorm_(torch::cat({first, patches}, 1) + position_embedding_->weight);
  for (const auto& layer : *layers_) h = layer->as<ClipLayer>()->forward(h);
  return {.last_hidden_state = h, .pooled = post_layernorm_(h.select(1, 0))};
}

}  // namespace terragen::models
