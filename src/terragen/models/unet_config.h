// Settings of the U-Net, read from and written to diffusers' config.json.
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::models {

struct UNetConfig {
  std::int64_t in_channels = 4;
  std::int64_t out_channels = 4;
  std::vector<std::int64_t> block_out_channels = {320, 640, 1280, 1280};
  std::vector<std::string> down_block_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                               "DownBlock2D"};
  std::vector<std::string> up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                                             "CrossAttnUpBlock2D"};
  std::int64_t layers_per_block = 2;
  std::int64_t transformer_layers_per_block = 1;
  std::vector<std::int64_t> attention_head_dim = {8};  // the number of heads, one for all levels or one a level
  std::int64_t cross_attention_dim = 1280;             // of text tokens; 0 (null on disk): no text
  std::int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool use_linear_projection = false;
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  std::string attention_type = "default";  // "gated": with GLIGEN's boxes, see box_position_net.h
  // Ours: the layout's injection.
  std::vector<std::int64_t> layout_channels;  // of F_k, one a level; empty: no injection
  std::int64_t layout_token_dim = 0;          // of layout tokens in the cross-attention; 0: none
  bool layout_single_scale = false;           // inject at the first level alone

  // Height and width of the latents it was trained on, {} where nothing says so.
  std::vector<std::int64_t> sample_size;

  std::int64_t time_dim() const { return 4 * block_out_channels.front(); }
  std::int64_t heads_at(std::size_t level) const {
    return attention_head_dim[attention_head_dim.size() == 1 ? 0 : level];
  }
  // RequestError naming the key that cannot be.
  void validate() const;
};

Json to_json(const UNetConfig& config);
// DataError naming `place` and the key: missing, of a wrong type, or of a value this U-Net does not have.
UNetConfig unet_config_from_json(const Json& value, const std::string& place);

}  // namespace terragen::models
