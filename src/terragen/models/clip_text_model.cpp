#include "terragen/models/clip_text_model.h"

#include <format>
#include <limits>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::models {

namespace tn = torch::nn;

ClipLayerOptions ClipTextConfig::layer() const {
  return {hidden_size, intermediate_size, num_attention_heads, hidden_act, layer_norm_eps};
}

void ClipTextConfig::validate() const {
  const std::string who = "text encoder";
  layer().validate(who);
  if (vocab_size <= 0 || num_hidden_layers <= 0 || max_position_embeddings <= 0) {
    throw RequestError(who + ": sizes must be positive");
  }
  if (vocab_size > 1'000'000 || num_hidden_layers > 256 || max_position_embeddings > 65536) {
    throw RequestError(who + ": sizes are beyond what any such model has");
  }
}

Json to_json(const ClipTextConfig& config) {
  return {{"architectures", {"CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_hidden_layers},
          {"num_attention_heads", config.num_attention_heads},
          {"max_position_embeddings", config.max_position_embeddings},
          {"hidden_act", config.hidden_act},
          {"layer_norm_eps", config.layer_norm_eps},
          {"eos_token_id", config.eos_token_id}};
}

ClipTextConfig clip_text_config_from_json(const Json& value, const std::string& place) {
  ClipTextConfig config;
  const auto read = [&]<class T>(const char* key, T& member) { member = json_member_or<T>(value, key, member, place); };
  read("vocab_size", config.vocab_size);
  read("hidden_size", config.hidden_size);
  read("intermediate_size", config.intermediate_size);
  read("num_hidden_layers", config.num_hidden_layers);
  read("num_attention_heads", config.num_attention_heads);
  read("max_position_embeddings", config.max_position_embeddings);
  read("hidden_act", config.hidden_act);
  read("layer_norm_eps", config.layer_norm_eps);
  read("eos_token_id", config.eos_token_id);
  blame_file(place, [&] { config.validate(); });
  return config;
}

ClipTextModelImpl::ClipTextModelImpl(ClipTextConfig config) : config_(std::move(config)) {
  config_.validate();
  const std::int64_t d = config_.hidden_size;
  const auto model = register_module("text_model", std::make_shared<tn::Module>("text_model"));
  const auto embeddings = model->register_module("embeddings", std::make_shared<tn::Module>("embeddings"));
  token_embedding_ = embeddings->register_module("token_embedding", tn::Embedding(config_.vocab_size, d));
  position_embedding_ =
      embeddings->register_module("position_embedding", tn::Embedding(config_.max_position_embeddings, d));
  const auto encoder = model->register_module("encoder", std::make_shared<tn::Module>("encoder"));
  layers_ = encoder->register_module("layers", tn::ModuleList());
  for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) layers_->push_back(ClipLayer(config_.layer()));
  final_layer_norm_ =
      model->register_module("final_layer_norm", tn::LayerNorm(tn::LayerNormOptions({d}).eps(config_.layer_norm_eps)));
}

ClipTextOutput ClipTextModelImpl::forward(const torch::Tensor& ids, const torch::Tensor& mask, std::int64_t skipped,
                                          const Trace& trace) {
  const std::int64_t length = ids.size(1);
  if (length > config_.max_position_embeddings) {
    throw RequestError(std::format("a text of {} tokens is longer than the text encoder's {}", length,
                                   config_.max_position_embeddings));
  }
  if (ids.lt(0).any().item<bool>() || ids.ge(config_.vocab_size).any().item<bool>()) {
    throw RequestError("a token's id is not in the text encoder's vocabulary",
                       "tokenizer and text encoder must be of one model");
  }
  if (skipped < 0 || skipped >= config_.num_hidden_layers) {
    throw RequestError(
        std::format("{} layers of {} cannot be left out of the text encoder", skipped, config_.num_hidden_layers));
  }
  const auto never = static_cast<double>(std::numeric_limits<float>::lowest());
  const torch::Tensor position = torch::arange(length, ids.options());
  torch::Tensor h = token_embedding_(ids) + position_embedding_(position).unsqueeze(0);
  // A token sees those before it and itself.
  torch::Tensor seen =
      torch::ones({length, length}, ids.options().dtype(torch::kBool)).tril().view({1, 1, length, length});
  if (mask.defined()) seen = seen & mask.to(torch::kBool).unsqueeze(1).unsqueeze(1);
  const torch::Tensor bias = torch::zeros(seen.sizes(), h.options()).masked_fill(seen.logical_not(), never);
  for (std::int64_t i = 0; i + skipped < config_.num_hidden_layers; ++i) {
    if (trace) trace(std::format("hidden_states.{}", i), h);
    h = layers_[static_cast<std::size_t>(i)]->as<ClipLayer>()->forward(h, bias);
  }
  if (trace) trace(std::format("hidden_states.{}", config_.num_hidden_layers - skipped), h);
  ClipTextOutput output{.last_hidden_state = final_layer_norm_(h), .pooled = {}};
  const torch::Tensor end =
      config_.eos_token_id == 2 ? ids.argmax(1) : ids.eq(config_.eos_token_id).to(torch::kInt32).argmax(1);
  output.pooled = output.last_hidden_state.index({torch::arange(ids.size(0), ids.options()), end});
  return output;
}

}  // namespace terragen::models
