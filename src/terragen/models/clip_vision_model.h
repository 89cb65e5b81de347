// CLIP's image encoder (Radford et al. 2021): transformers' CLIPVisionModel and its parameter names.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/models/clip_layer.h"

namespace terragen::models {

// Those of ViT-L/14.
struct ClipVisionConfig {
  std::int64_t hidden_size = 1024;
  std::int64_t intermediate_size = 4096;
  std::int64_t num_hidden_layers = 24;
  std::int64_t num_attention_heads = 16;
  std::int64_t image_size = 224;  // pixels a side
  std::int64_t patch_size = 14;   // pixels a side
  std::string hidden_act = "quick_gelu";
  double layer_norm_eps = 1e-5;

  std::int64_t patches_a_side() const { return image_size / patch_size; }
  ClipLayerOptions layer() const;
  // RequestError naming the key that cannot be.
  void validate() const;
};
Json to_json(const ClipVisionConfig& config);
// Of CLIPVisionModel, or of a whole CLIPModel, whose key "vision_config" it is. DataError naming `place` and the key.
ClipVisionConfig clip_vision_config_from_json(const Json& value, const std::string& place);

struct ClipVisionOutput {
  torch::Tensor last_hidden_state;  // [N, 1 + patches, hidden_size]: the class token, then patches row by row
  torch::Tensor pooled;             // [N, hidden_size]: the class token after the last norm
};

// vision_model.embeddings.{class_embedding,patch_embedding,position_embedding}, vision_model.pre_layrnorm (so it is
// spelt), vision_model.encoder.layers.*, vision_model.post_layernorm.
class ClipVisionModelImpl : public torch::nn::Module {
 public:
  explicit ClipVisionModelImpl(ClipVisionConfig config);
  const ClipVisionConfig& config() const { return config_; }
  // images: [N, 3, image_size, image_size], red, green and blue in [0, 1]; CLIP's mean and spread are taken off here.
  ClipVisionOutput forward(const torch::Tensor& images);

 private:
  ClipVisionConfig config_;
  torch::Tensor class_embedding_;
  torch::nn::Conv2d patch_embedding_{nullptr};
  torch::nn::Embedding position_embedding_{nullptr};
  torch::nn::LayerNorm pre_layrnorm_{nullptr}, post_layernorm_{nullptr};
  torch::nn::ModuleList layers_{nullptr};
};
TORCH_MODULE(ClipVisionModel);

}  // namespace terragen::models
