// Settings of the autoencoder, read from and written to diffusers' config.json.
#pragma once

#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::models {

struct AutoencoderConfig {
  std::int64_t in_channels = 3;   // bands
  std::int64_t out_channels = 3;  // bands
  std::vector<std::int64_t> block_out_channels = {128, 256, 512, 512};
  std::int64_t layers_per_block = 2;
  std::int64_t latent_channels = 4;
  std::int64_t norm_num_groups = 32;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;
  double scaling_factor = 0.18215;
  std::vector<double> latents_mean;  // one a latent channel; empty (null on disk): scaling_factor serves
  std::vector<double> latents_std;
  std::int64_t patch_size = 1;   // ours: pixels folded into channels before the first and after the last convolution
  bool linear_shortcut = false;  // ours: see linear_shortcut.h

  // Pixels a latent cell is wide.
  std::int64_t downscale() const { return patch_size << (block_out_channels.size() - 1); }
  // RequestError naming the key that cannot be.
  void validate() const;
};

Json to_json(const AutoencoderConfig& config);
// DataError naming `place` and the key.
AutoencoderConfig autoencoder_config_from_json(const Json& value, const std::string& place);

}  // namespace terragen::models
