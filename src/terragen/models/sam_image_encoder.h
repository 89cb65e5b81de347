// The vision transformers that Segment Anything and EfficientSAM see images with.
//
// Segment Anything's attends within windows in most blocks, and adds to every score what the query makes of the
// distance to the key, rows and columns apart (Li et al. 2022, arXiv 2203.16527 and 2112.01526). EfficientSAM's is a
// plain one with a position table that was learned for 224 x 224 images and is resized.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "terragen/models/sam_layers.h"
#include "terragen/models/unet.h"

namespace terragen::models {

// Of ViT-B.
struct SamImageEncoderConfig {
  SamFamily family = SamFamily::segment_anything;
  std::int64_t image_size = 1024;  // of the square input, pixels
  std::int64_t patch_size = 16;    // pixels a token is wide
  std::int64_t width = 768;        // channels of a token
  std::int64_t depth = 12;
  std::int64_t heads = 12;
  double mlp_ratio = 4.0;
  bool qkv_bias = true;
  double norm_eps = 1e-6;
  std::int64_t out_channels = 256;
  std::int64_t window_size = 14;                            // tokens a side; 0: every block sees all
  std::vector<std::int64_t> global_blocks = {2, 5, 8, 11};  // that see beyond their window
  bool relative_positions = true;

  std::int64_t grid() const { return image_size / patch_size; }  // tokens a side
  // RequestError naming what cannot be.
  void validate() const;
};

// patch_embed.proj, pos_embed, blocks, neck.0 .. neck.3.
class SamImageEncoderImpl : public torch::nn::Module {
 public:
  // The configuration is valid.
  explicit SamImageEncoderImpl(const SamImageEncoderConfig& config);
  // x: [N, 3, S, S], normalised, S = image_size; the result is [N, out_channels, S / patch_size, S / patch_size].
  // The trace is given patch_embed and block.0 .. as [N, h, w, width]. Where positions are relative no gradients come
  // back: the encoder is used as it was published.
  torch::Tensor forward(const torch::Tensor& x, const Trace& trace = {});
  const SamImageEncoderConfig& config() const { return config_; }

 private:
  torch::Tensor positions() const;
  SamImageEncoderConfig config_;
  torch::Tensor pos_embed_;
  torch::nn::Conv2d patch_embed_{nullptr}, neck_in_{nullptr}, neck_out_{nullptr};
  ChannelNorm neck_in_norm_{nullptr}, neck_out_norm_{nullptr};
  torch::nn::ModuleList blocks_{nullptr};
};
TORCH_MODULE(SamImageEncoder);

}  // namespace terragen::models
