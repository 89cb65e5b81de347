// SegFormer (Xie et al. 2021, arXiv 2105.15203): a hierarchical transformer with a decoder of linear layers. Parameter
// names are those of Hugging Face's SegformerForSemanticSegmentation.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/segmenter.h"

namespace terragen::models {

// Of the B0 variant.
struct SegformerConfig {
  std::int64_t bands = 3;
  std::int64_t classes = 2;
  std::vector<std::int64_t> depths = {2, 2, 2, 2};
  std::vector<std::int64_t> hidden_sizes = {32, 64, 160, 256};
  std::vector<std::int64_t> heads = {1, 2, 5, 8};
  std::vector<std::int64_t> sr_ratios = {8, 4, 2, 1};  // keys and values are read so many times coarser
  std::int64_t mlp_ratio = 4;
  std::int64_t decoder_hidden_size = 256;
};

// Four stages: features at strides 4, 8, 16, 32.
class SegformerEncoderImpl : public torch::nn::Module {
 public:
  explicit SegformerEncoderImpl(const SegformerConfig& config);
  std::vector<torch::Tensor> forward(const torch::Tensor& x);

 private:
  torch::nn::ModuleList patch_embeddings_{nullptr}, blocks_{nullptr}, norms_{nullptr};
};
TORCH_MODULE(SegformerEncoder);

// segformer.encoder, decode_head.
class SegformerImpl : public Segmenter {
 public:
  explicit SegformerImpl(const SegformerConfig& config);
  // x: [N, B, H, W], H and W multiples of 32. Logits: [N, K, H, W], interpolated from a quarter of the size.
  torch::Tensor forward(const torch::Tensor& x) override;

 private:
  SegformerEncoder encoder_{nullptr};
  torch::nn::ModuleList linear_c_{nullptr};
  torch::nn::Conv2d linear_fuse_{nullptr}, classifier_{nullptr};
  torch::nn::BatchNorm2d batch_norm_{nullptr};
};
TORCH_MODULE(Segformer);

}  // namespace terragen::models
