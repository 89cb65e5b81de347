// The levels of the U-Net.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "terragen/models/unet_config.h"
#include "terragen/nn/attention.h"
#include "terragen/nn/feature_modulation.h"
#include "terragen/nn/resnet_block.h"

namespace terragen::models {

// What every level hears: the time embedding, tokens, and the level's layout features (undefined: none).
struct LevelContext {
  torch::Tensor time;
  nn::AttentionContext tokens;
  torch::Tensor layout_features;
};

// resnets.*, attentions.*, downsamplers.0, layout_modulation.
class DownBlockImpl : public torch::nn::Module {
 public:
  DownBlockImpl(const UNetConfig& config, std::size_t level);
  // Appends every intermediate state to `skips`.
  torch::Tensor forward(torch::Tensor h, const LevelContext& context, std::vector<torch::Tensor>& skips);

 private:
  torch::nn::ModuleList resnets_{nullptr}, attentions_{nullptr}, downsamplers_{nullptr};
  nn::FeatureModulation layout_modulation_{nullptr};
};
TORCH_MODULE(DownBlock);

// resnets.0, attentions.0, resnets.1, layout_modulation.
class MidBlockImpl : public torch::nn::Module {
 public:
  explicit MidBlockImpl(const UNetConfig& config);
  torch::Tensor forward(torch::Tensor h, const LevelContext& context);

 private:
  torch::nn::ModuleList resnets_{nullptr}, attentions_{nullptr};
  nn::FeatureModulation layout_modulation_{nullptr};
};
TORCH_MODULE(MidBlock);

// resnets.*, attentions.*, upsamplers.0, layout_modulation. `index` counts from the coarsest level.
class UpBlockImpl : public torch::nn::Module {
 public:
  UpBlockImpl(const UNetConfig& config, std::size_t index);
  // Takes its skips from the back of `skips`; `size`: what the upsampler must give ({H, W}).
  torch::Tensor forward(torch::Tensor h, const LevelContext& context, std::vector<torch::Tensor>& skips,
                        const std::optional<std::vector<std::int64_t>>& size);
  std::size_t skips_needed() const { return resnets_->size(); }

 private:
  torch::nn::ModuleList resnets_{nullptr}, attentions_{nullptr}, upsamplers_{nullptr};
  nn::FeatureModulation layout_modulation_{nullptr};
};
TORCH_MODULE(UpBlock);

}  // namespace terragen::models
