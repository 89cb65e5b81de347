// The geographic-spatial layout encoder: vector branch, raster branch, task adapter and their fusion.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/layout/taxonomy.h"
#include "terragen/models/layout_tensors.h"
#include "terragen/models/unet.h"

namespace terragen::models {

struct LayoutEncoderConfig {
  layout::Taxonomy taxonomy;
  std::vector<std::string> tasks;
  std::vector<std::int64_t> channels = {64, 96, 128};  // of F_k, one a U-Net level
  std::int64_t class_channels = 24;                    // class embedding of the raster branch
  std::int64_t token_dim = 160;
  std::int64_t heads = 4;
  std::int64_t time_dim = 384;  // of the U-Net's time embedding
  int raster_cell = 2;
  int latent_cell = 8;
  int max_features = 48;
  bool vector_branch = true;
  bool raster_branch = true;

  // RequestError naming the value that cannot be.
  void validate() const;
  LayoutTensorOptions tensor_options(double weight_exponent) const;
};
Json to_json(const LayoutEncoderConfig& config);
// DataError naming `place`.
LayoutEncoderConfig layout_encoder_config_from_json(const Json& value, const std::string& place);

// Which conditions of each sample are withheld, for training with dropout and for guidance. [N] bool each;
// undefined = nothing withheld.
struct ConditionDrop {
  torch::Tensor layout;  // features and raster planes
  torch::Tensor task;
  torch::Tensor metadata;  // GSD
};

struct LayoutEncoding {
  std::vector<torch::Tensor> features;  // F_k: [N, channels[k], h / 2^k, w / 2^k]
  torch::Tensor tokens;                 // [N, M + 2, token_dim]: features, then task, then metadata
  torch::Tensor token_mask;             // [N, M + 2] bool, true = present
  torch::Tensor time_addition;          // [N, time_dim], zero at initialisation
  torch::Tensor text;                   // [N, T, D] as CaptionEncoder gives it; undefined: none
};

// What the U-Net is told of a layout.
UNetCondition condition_of(const LayoutEncoding& layout);

class LayoutEncoderImpl : public torch::nn::Module {
 public:
  explicit LayoutEncoderImpl(LayoutEncoderConfig config);
  LayoutEncoding forward(const LayoutTensors& layout, const ConditionDrop& drop = {});
  const LayoutEncoderConfig& config() const { return config_; }

 private:
  torch::Tensor tokens_of(const LayoutTensors& layout);
  torch::Tensor raster_input(const LayoutTensors& layout, const torch::Tensor& keep);

  LayoutEncoderConfig config_;
  // Vector branch.
  torch::nn::Embedding token_class_{nullptr}, token_kind_{nullptr}, task_token_{nullptr};
  torch::Tensor null_geometry_, null_gsd_, null_layout_;
  torch::nn::Sequential token_mlp_{nullptr}, metadata_mlp_{nullptr}, time_mlp_{nullptr};
  // Raster branch.
  torch::nn::Conv2d class_planes_{nullptr};
  torch::nn::Sequential stem_{nullptr};
  torch::nn::ModuleList pyramid_{nullptr};
  // Task adapter: scale and shift of every P_k and of the tokens.
  torch::nn::Embedding task_embedding_{nullptr};
  torch::nn::ModuleList adapters_{nullptr};
  // Fusion.
  torch::nn::ModuleList fusion_{nullptr};
};
TORCH_MODULE(LayoutEncoder);

}  // namespace terragen::models
