// CLIP's text encoder (Radford et al. 2021): transformers' CLIPTextModel and its parameter names.
#pragma once

#include <torch/torch.h>

#include <string>

#include "terragen/core/json_file.h"
#include "terragen/models/clip_layer.h"
#include "terragen/models/unet.h"

namespace terragen::models {

struct ClipTextConfig {
  std::int64_t vocab_size = 49408;
  std::int64_t hidden_size = 512;
  std::int64_t intermediate_size = 2048;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 8;
  std::int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";  // x sigmoid(1.702 x), or "gelu"
  double layer_norm_eps = 1e-5;
  // Whose state is the pooled one: the first such token's; 2, as older configs have it, means the token of the highest
  // id, which is the same for CLIP's own vocabulary.
  std::int64_t eos_token_id = 49407;

  ClipLayerOptions layer() const;
  // RequestError naming the key that cannot be.
  void validate() const;
};
Json to_json(const ClipTextConfig& config);
// DataError naming `place` and the key.
ClipTextConfig clip_text_config_from_json(const Json& value, const std::string& place);

struct ClipTextOutput {
  torch::Tensor last_hidden_state;  // [N, T, hidden_size], after the last norm
  torch::Tensor pooled;             // [N, hidden_size]
};

// text_model.embeddings.{token,position}_embedding, text_model.encoder.layers.*, text_model.final_layer_norm.
class ClipTextModelImpl : public torch::nn::Module {
 public:
  explicit ClipTextModelImpl(ClipTextConfig config);
  const ClipTextConfig& config() const { return config_; }
  // ids: [N, T] int64, T at most max_position_embeddings; mask: [N, T], 1 where a token may be looked at, undefined:
  // everywhere. `skipped`: so many layers at the end are left out before the last norm ("clip skip"; Stable Diffusion 2
  // was trained on the last but one). The trace tells hidden_states.0, .1, ...
  // RequestError for ids beyond the vocabulary and for texts that are too long.
  ClipTextOutput forward(const torch::Tensor& ids, const torch::Tensor& mask = {}, std::int64_t skipped = 0,
                         const Trace& trace = {});

 private:
  ClipTextConfig config_;
  torch::nn::Embedding token_embedding_{nullptr}, position_embedding_{nullptr};
  torch::nn::ModuleList layers_{nullptr};
  torch::nn::LayerNorm final_layer_norm_{nullptr};
};
TORCH_MODULE(ClipTextModel);

}  // namespace terragen::models
