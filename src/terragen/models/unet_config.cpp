#include "terragen/models/unet_config.h"

#include <algorithm>
#include <format>
#include <utility>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::models {
namespace {

// Keys of diffusers' config that change the network and of which we have one value only.
const std::vector<std::pair<const char*, Json>>& fixed_keys() {
  static const std::vector<std::pair<const char*, Json>> keys = {{"center_input_sample", false},
                                                                 {"mid_block_type", "UNetMidBlock2DCrossAttn"},
                                                                 {"only_cross_attention", false},
                                                                 {"downsample_padding", 1},
                                                                 {"mid_block_scale_factor", 1},
                                                                 {"dropout", 0.0},
                                                                 {"act_fn", "silu"},
                                                                 {"reverse_transformer_layers_per_block", nullptr},
                                                                 {"encoder_hid_dim", nullptr},
                                                                 {"encoder_hid_dim_type", nullptr},
                                                                 {"num_attention_heads", nullptr},
                                                                 {"dual_cross_attention", false},
                                                                 {"class_embed_type", nullptr},
                                                                 {"addition_embed_type", nullptr},
                                                                 {"num_class_embeds", nullptr},
                                                                 {"resnet_time_scale_shift", "default"},
                                                                 {"resnet_skip_time_act", false},
                                                                 {"resnet_out_scale_factor", 1.0},
                                                                 {"time_embedding_type", "positional"},
                                                                 {"time_embedding_dim", nullptr},
                                                                 {"time_embedding_act_fn", nullptr},
                                                                 {"timestep_post_act", nullptr},
                                                                 {"time_cond_proj_dim", nullptr},
                                                                 {"conv_in_kernel", 3},
                                                                 {"conv_out_kernel", 3},
                                                                 {"class_embeddings_concat", false},
                                                                 {"cross_attention_norm", nullptr},
                                                                 {"mid_block_only_cross_attention", nullptr}};
  return keys;
}

std::vector<std::int64_t> one_or_many(const Json& value, const char* key, const std::string& place) {
  const Json& member = json_member<Json>(value, key, place);
  if (member.is_number_integer()) return {member.get<std::int64_t>()};
  return json_member<std::vector<std::int64_t>>(value, key, place);
}

}  // namespace

void UNetConfig::validate() const {
  const std::size_t levels = block_out_channels.size();
  const auto refuse = [](const std::string& what) { throw RequestError("U-Net: " + what); };
  if (levels == 0) refuse("block_out_channels is empty");
  if (down_block_types.size() != levels || up_block_types.size() != levels) {
    refuse("down_block_types, up_block_types and block_out_channels have different lengths");
  }
  for (const std::string& type : down_block_types) {
    if (type != "DownBlock2D" && type != "CrossAttnDownBlock2D")
      refuse(std::format("block type {} is not known", type));
  }
  for (const std::string& type : up_block_types) {
    if (type != "UpBlock2D" && type != "CrossAttnUpBlock2D") refuse(std::format("block type {} is not known", type));
  }
  if (in_channels <= 0 || out_channels <= 0 || layers_per_block <= 0 || transformer_layers_per_block <= 0) {
    refuse("channels and layers must be positive");
  }
  if (cross_attention_dim < 0) refuse(std::format("cross_attention_dim is {}", cross_attention_dim));
  if (attention_head_dim.size() != 1 && attention_head_dim.size() != levels) {
    refuse("attention_head_dim has neither one value nor one a level");
  }
  // A damaged config must not ask for more memory than a machine has.
  constexpr std::int64_t kMostChannels = 4096, kMostLayers = 64;
  if (layers_per_block > kMostLayers || transformer_layers_per_block > kMostLayers || levels > kMostLayers ||
      std::max({in_channels, out_channels, cross_attention_dim}) > kMostChannels) {
    refuse(std::format("more than {} layers or {} channels", kMostLayers, kMostChannels));
  }
  for (std::size_t k = 0; k < levels; ++k) {
    const std::int64_t c = block_out_channels[k];
    if (c > kMostChannels) refuse(std::format("block_out_channels {} is above {}", c, kMostChannels));
    if (norm_num_groups <= 0 || c <= 0 || c % norm_num_groups != 0) {
      refuse(std::format("block_out_channels {} is no multiple of norm_num_groups {}", c, norm_num_groups));
    }
    if (heads_at(k) <= 0 || c % heads_at(k) != 0) {
      refuse(std::format("block_out_channels {} cannot be split into {} heads", c, heads_at(k)));
    }
  }
  if (!sample_size.empty() &&
      (sample_size.size() != 2 || std::ranges::min(sample_size) < 1 || std::ranges::max(sample_size) > kMostChannels)) {
    refuse("sample_size is neither one length nor two");
  }
  if (attention_type != "default" && attention_type != "gated") {
    refuse(std::format("attention_type {} is not offered", attention_type));
  }
  if (attention_type == "gated" && cross_attention_dim <= 0) refuse("attention_type gated needs cross_attention_dim");
  if (!layout_channels.empty() && layout_channels.size() != levels) {
    refuse("layout_channels and block_out_channels have different lengths");
  }
}

Json to_json(const UNetConfig& config) {
  Json json = {{"_class_name", "UNet2DConditionModel"},
               {"in_channels", config.in_channels},
               {"out_channels", config.out_channels},
               {"block_out_channels", config.block_out_channels},
               {"down_block_types", config.down_block_types},
               {"up_block_types", config.up_block_types},
               {"layers_per_block", config.layers_per_block},
               {"transformer_layers_per_block", config.transformer_layers_per_block},
               {"attention_head_dim", config.attention_head_dim},
               {"cross_attention_dim", nullptr},
               {"norm_num_groups", config.norm_num_groups},
               {"norm_eps", config.norm_eps},
               {"use_linear_projection", config.use_linear_projection},
               {"flip_sin_to_cos", config.flip_sin_to_cos},
               {"freq_shift", config.freq_shift},
               {"attention_type", config.attention_type},
               {"layout_channels", config.layout_channels},
               {"layout_token_dim", config.layout_token_dim},
               {"layout_single_scale", config.layout_single_scale}};
  if (!config.sample_size.empty()) json["sample_size"] = config.sample_size;
  if (config.cross_attention_dim > 0) json["cross_attention_dim"] = config.cross_attention_dim;
  for (const auto& [key, value] : fixed_keys()) json[key] = value;
  return json;
}

// Of a list, one value a level, all must be the same.
std::int64_t one_of_equals(const Json& value, const char* key, std::int64_t standard, const std::string& place) {
  if (!value.contains(key) || !value.at(key).is_array())
    return json_member_or<std::int64_t>(value, key, standard, place);
  const auto all = json_member<std::vector<std::int64_t>>(value, key, place);
  if (all.empty() || std::ranges::count(all, all.front()) != std::ssize(all)) {
    throw DataError(place,
                    std::format("key \"{}\" is {}, and levels that differ are not offered", key, value.at(key).dump()));
  }
  return all.front();
}

UNetConfig unet_config_from_json(const Json& value, const std::string& place) {
  for (const auto& [key, only] : fixed_keys()) {
    if (value.contains(key) && value.at(key) != only) {
      throw DataError(place,
                      std::format("key \"{}\" is {}, this U-Net has {} only", key, value.at(key).dump(), only.dump()));
    }
  }
  UNetConfig config;
  config.in_channels = json_member<std::int64_t>(value, "in_channels", place);
  config.out_channels = json_member<std::int64_t>(value, "out_channels", place);
  config.block_out_channels = json_member<std::vector<std::int64_t>>(value, "block_out_channels", place);
  config.down_block_types = json_member<std::vector<std::string>>(value, "down_block_types", place);
  config.up_block_types = json_member<std::vector<std::string>>(value, "up_block_types", place);
  config.layers_per_block = one_of_equals(value, "layers_per_block", 2, place);
  config.transformer_layers_per_block = one_of_equals(value, "transformer_layers_per_block", 1, place);
  config.attention_head_dim = one_or_many(value, "attention_head_dim", place);
  config.cross_attention_dim = value.contains("cross_attention_dim") && value["cross_attention_dim"].is_null()
                                   ? 0
                                   : one_of_equals(value, "cross_attention_dim", 1280, place);
  config.norm_num_groups = json_member<std::int64_t>(value, "norm_num_groups", place);
  config.norm_eps = json_member_or<double>(value, "norm_eps", 1e-5, place);
  config.use_linear_projection = json_member_or<bool>(value, "use_linear_projection", false, place);
  config.flip_sin_to_cos = json_member_or<bool>(value, "flip_sin_to_cos", true, place);
  config.freq_shift = json_member_or<double>(value, "freq_shift", 0, place);
  config.attention_type = json_member_or<std::string>(value, "attention_type", "default", place);
  config.layout_channels = json_member_or<std::vector<std::int64_t>>(value, "layout_channels", {}, place);
  config.layout_token_dim = json_member_or<std::int64_t>(value, "layout_token_dim", 0, place);
  config.layout_single_scale = json_member_or<bool>(value, "layout_single_scale", false, place);
  if (value.contains("sample_size") && !value.at("sample_size").is_null()) {
    config.sample_size = one_or_many(value, "sample_size", place);
    if (config.sample_size.size() == 1) config.sample_size.push_back(config.sample_size.front());
  }
  blame_file(place, [&] { config.validate(); });
  return config;
}

}  // namespace terragen::models
