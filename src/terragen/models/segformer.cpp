#include "terragen/models/segformer.h"

#include <format>

#include "terragen/nn/attention.h"

namespace terragen::models {

namespace tn = torch::nn;

namespace {

// [N, C, H, W] to [N, H W, C] and back.
torch::Tensor tokens_of(const torch::Tensor& map) { return map.flatten(2).transpose(1, 2); }
torch::Tensor map_of(const torch::Tensor& tokens, std::int64_t height, std::int64_t width) {
  return tokens.transpose(1, 2).reshape({tokens.size(0), tokens.size(2), height, width});
}

tn::LayerNorm layer_norm(std::int64_t channels) { return tn::LayerNorm(tn::LayerNormOptions({channels}).eps(1e-6)); }

// proj, layer_norm.
class PatchEmbeddingImpl : public tn::Module {
 public:
  PatchEmbeddingImpl(std::int64_t in, std::int64_t out, std::int64_t size, std::int64_t stride) {
    proj_ = register_module("proj", tn::Conv2d(tn::Conv2dOptions(in, out, size).stride(stride).padding(size / 2)));
    layer_norm_ = register_module("layer_norm", tn::LayerNorm(tn::LayerNormOptions({out}).eps(1e-5)));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor h = proj_(x);
    return map_of(layer_norm_(tokens_of(h)), h.size(2), h.size(3));
  }

 private:
  tn::Conv2d proj_{nullptr};
  tn::LayerNorm layer_norm_{nullptr};
};
TORCH_MODULE(PatchEmbedding);

// query, key, value, and where the ratio is above 1 sr and layer_norm.
class EfficientSelfAttentionImpl : public tn::Module {
 public:
  EfficientSelfAttentionImpl(std::int64_t channels, std::int64_t heads, std::int64_t ratio) : heads_(heads) {
    query_ = register_module("query", tn::Linear(channels, channels));
    key_ = register_module("key", tn::Linear(channels, channels));
    value_ = register_module("value", tn::Linear(channels, channels));
    if (ratio > 1) {
      sr_ = register_module("sr", tn::Conv2d(tn::Conv2dOptions(channels, channels, ratio).stride(ratio)));
      layer_norm_ = register_module("layer_norm", tn::LayerNorm(tn::LayerNormOptions({channels}).eps(1e-5)));
    }
  }
  torch::Tensor forward(const torch::Tensor& tokens, std::int64_t height, std::int64_t width) {
    const torch::Tensor seen = sr_ ? layer_norm_(coarser(tokens, height, width)) : tokens;
    const auto split = [&](const torch::Tensor& x) {
      return x.view({x.size(0), x.size(1), heads_, x.size(2) / heads_}).transpose(1, 2);
    };
    const torch::Tensor h = nn::fused_attention(split(query_(tokens)), split(key_(seen)), split(value_(seen)));
    return h.transpose(1, 2).flatten(2);
  }

 private:
  // The convolution sr whose windows do not overlap, as one product over them: many times faster backwards.
  torch::Tensor coarser(const torch::Tensor& tokens, std::int64_t height, std::int64_t width) {
    const std::int64_t r = sr_->options.stride()->at(0);
    const std::int64_t channels = tokens.size(2);
    const torch::Tensor windows = tokens.reshape({-1, height / r, r, width / r, r, channels})
                                      .permute({0, 1, 3, 2, 4, 5})
                                      .reshape({tokens.size(0), height / r * (width / r), r * r * channels});
    const torch::Tensor weight = sr_->weight.permute({0, 2, 3, 1}).reshape({channels, r * r * channels});
    return torch::linear(windows, weight, sr_->bias);
  }

  std::int64_t heads_;
  tn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr};
  tn::Conv2d sr_{nullptr};
  tn::LayerNorm layer_norm_{nullptr};
};
TORCH_MODULE(EfficientSelfAttention);

// A module that only holds others under their names.
std::shared_ptr<tn::Module> holder(std::initializer_list<std::pair<std::string, std::shared_ptr<tn::Module>>> parts) {
  auto module = std::make_shared<tn::Module>("holder");
  for (const auto& [name, part] : parts) module->register_module(name, part);
  return module;
}

// layer_norm_1, attention.self, attention.output.dense, layer_norm_2, mlp.dense1, mlp.dwconv.dwconv, mlp.dense2.
class SegformerBlockImpl : public tn::Module {
 public:
  SegformerBlockImpl(std::int64_t channels, std::int64_t heads, std::int64_t ratio, std::int64_t mlp_ratio)
      : norm1_(layer_norm(channels)),
        norm2_(layer_norm(channels)),
        attention_(channels, heads, ratio),
        output_(channels, channels),
        dense1_(channels, channels * mlp_ratio),
        dense2_(channels * mlp_ratio, channels),
        dwconv_(
            tn::Conv2dOptions(channels * mlp_ratio, channels * mlp_ratio, 3).padding(1).groups(channels * mlp_ratio)) {
    register_module("layer_norm_1", norm1_);
    register_module("attention", holder({{"self", attention_.ptr()}, {"output", holder({{"dense", output_.ptr()}})}}));
    register_module("layer_norm_2", norm2_);
    register_module("mlp", holder({{"dense1", dense1_.ptr()},
                                   {"dwconv", holder({{"dwconv", dwconv_.ptr()}})},
                                   {"dense2", dense2_.ptr()}}));
  }
  torch::Tensor forward(const torch::Tensor& map) {
    const std::int64_t height = map.size(2);
    const std::int64_t width = map.size(3);
    torch::Tensor h = tokens_of(map);
    h = h + output_(attention_->forward(norm1_(h), height, width));
    torch::Tensor inner = dense1_(norm2_(h));
    inner = tokens_of(dwconv_(map_of(inner, height, width)));
    h = h + dense2_(torch::gelu(inner));
    return map_of(h, height, width);
  }

 private:
  tn::LayerNorm norm1_, norm2_;
  EfficientSelfAttention attention_;
  tn::Linear output_, dense1_, dense2_;
  tn::Conv2d dwconv_;
};
TORCH_MODULE(SegformerBlock);

// proj.
class SegformerLinearImpl : public tn::Module {
 public:
  SegformerLinearImpl(std::int64_t in, std::int64_t out) { proj_ = register_module("proj", tn::Linear(in, out)); }
  // fuse [out, out, 1, 1] x (proj x), as the one linear map that both together are: a map of 32 channels need not be
  // widened to 256 to be mixed.
  torch::Tensor fused(const torch::Tensor& map, const torch::Tensor& fuse) {
    const torch::Tensor mix = fuse.flatten(1);
    const torch::Tensor tokens =
        torch::linear(tokens_of(map), torch::mm(mix, proj_->weight), torch::mv(mix, proj_->bias));
    return map_of(tokens, map.size(2), map.size(3));
  }

 private:
  tn::Linear proj_{nullptr};
};
TORCH_MODULE(SegformerLinear);

}  // namespace

SegformerEncoderImpl::SegformerEncoderImpl(const SegformerConfig& config) {
  patch_embeddings_ = register_module("patch_embeddings", tn::ModuleList());
  blocks_ = register_module("block", tn::ModuleList());
  norms_ = register_module("layer_norm", tn::ModuleList());
  std::int64_t in = config.bands;
  for (std::size_t stage = 0; stage < config.depths.size(); ++stage) {
    const std::int64_t out = config.hidden_sizes[stage];
    patch_embeddings_->push_back(PatchEmbedding(in, out, stage == 0 ? 7 : 3, stage == 0 ? 4 : 2));
    tn::ModuleList blocks;
    for (std::int64_t i = 0; i < config.depths[stage]; ++i) {
      blocks->push_back(SegformerBlock(out, config.heads[stage], config.sr_ratios[stage], config.mlp_ratio));
    }
    blocks_->push_back(blocks);
    norms_->push_back(tn::LayerNorm(tn::LayerNormOptions({out}).eps(1e-5)));
    in = out;
  }
}

std::vector<torch::Tensor> SegformerEncoderImpl::forward(const torch::Tensor& x) {
  std::vector<torch::Tensor> features;
  torch::Tensor h = x;
  for (std::size_t stage = 0; stage < patch_embeddings_->size(); ++stage) {
    h = patch_embeddings_[stage]->as<PatchEmbedding>()->forward(h);
    for (const auto& block : *blocks_[stage]->as<tn::ModuleList>()) h = block->as<SegformerBlock>()->forward(h);
    h = map_of(norms_[stage]->as<tn::LayerNorm>()->forward(tokens_of(h)), h.size(2), h.size(3));
    features.push_back(h);
  }
  return features;
}

SegformerImpl::SegformerImpl(const SegformerConfig& config) : encoder_(config) {
  register_module("segformer", holder({{"encoder", encoder_.ptr()}}));
  const std::int64_t width = config.decoder_hidden_size;
  linear_c_ = tn::ModuleList();
  for (const std::int64_t channels : config.hidden_sizes) linear_c_->push_back(SegformerLinear(channels, width));
  const auto stages = static_cast<std::int64_t>(config.hidden_sizes.size());
  linear_fuse_ = tn::Conv2d(tn::Conv2dOptions(stages * width, width, 1).bias(false));
  batch_norm_ = tn::BatchNorm2d(width);
  classifier_ = tn::Conv2d(tn::Conv2dOptions(width, config.classes, 1));
  register_module("decode_head", holder({{"linear_c", linear_c_.ptr()},
                                         {"linear_fuse", linear_fuse_.ptr()},
                                         {"batch_norm", batch_norm_.ptr()},
                                         {"classifier", classifier_.ptr()}}));
}

torch::Tensor SegformerImpl::forward(const torch::Tensor& x) {
  const std::vector<torch::Tensor> features = encoder_->forward(x);
  const auto resized = [](const torch::Tensor& map, std::int64_t height, std::int64_t width) {
    return at::upsample_bilinear2d(map, {height, width}, false);
  };
  // The fusing convolution has no bias and no extent, so that it may come before the resizing: each stage is fused at
  // its own size, and nothing of all stages' width is ever held at the first one's.
  const auto weights = linear_fuse_->weight.chunk(static_cast<std::int64_t>(features.size()), 1);
  torch::Tensor sum;
  for (std::size_t stage = features.size(); stage > 0; --stage) {
    const torch::Tensor fused =
        linear_c_[stage - 1]->as<SegformerLinear>()->fused(features[stage - 1], weights[features.size() - stage]);
    const torch::Tensor spread = resized(fused, features[0].size(2), features[0].size(3));
    sum = sum.defined() ? sum + spread : spread;
  }
  const torch::Tensor fused = torch::relu(batch_norm_(sum));
  return resized(classifier_(fused), x.size(2), x.size(3));
}

}  // namespace terragen::models
