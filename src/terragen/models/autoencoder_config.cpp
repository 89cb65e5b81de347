#include "terragen/models/autoencoder_config.h"

#include <algorithm>
#include <format>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::models {
namespace {

void check_block_types(const Json& value, const char* key, const char* only, const std::string& place) {
  if (!value.contains(key)) return;
  for (const std::string& type : json_member<std::vector<std::string>>(value, key, place)) {
    if (type != only)
      throw DataError(place, std::format("key \"{}\" names {}, this autoencoder has {} only", key, type, only));
  }
}

std::vector<double> list_or_null(const Json& value, const char* key, const std::string& place) {
  if (!value.contains(key) || value.at(key).is_null()) return {};
  return json_member<std::vector<double>>(value, key, place);
}

}  // namespace

void AutoencoderConfig::validate() const {
  const auto refuse = [](const std::string& what) { throw RequestError("autoencoder: " + what); };
  if (block_out_channels.empty()) refuse("block_out_channels is empty");
  if (in_channels <= 0 || out_channels <= 0 || latent_channels <= 0 || layers_per_block <= 0) {
    refuse("channels and layers must be positive");
  }
  // A damaged config must not ask for more memory than a machine has.
  constexpr std::int64_t kMostWidth = 4096, kMostDepth = 64;
  if (std::max({in_channels, out_channels, latent_channels}) > kMostWidth ||
      std::max(layers_per_block, std::ssize(block_out_channels)) > kMostDepth) {
    refuse(std::format("more than {} layers or {} channels", kMostDepth, kMostWidth));
  }
  for (const std::int64_t c : block_out_channels) {
    if (c > kMostWidth) refuse(std::format("block_out_channels {} is above {}", c, kMostWidth));
    if (norm_num_groups <= 0 || c <= 0 || c % norm_num_groups != 0) {
      refuse(std::format("block_out_channels {} is no multiple of norm_num_groups {}", c, norm_num_groups));
    }
  }
  if (patch_size < 1 || patch_size > kMostDepth || (patch_size & (patch_size - 1)) != 0) {
    refuse(std::format("patch_size {} is no power of two up to {}", patch_size, kMostDepth));
  }
  const auto fits = [&](const std::vector<double>& list) {
    return list.empty() || std::ssize(list) == latent_channels;
  };
  if (!fits(latents_mean) || !fits(latents_std) || latents_mean.size() != latents_std.size()) {
    refuse("latents_mean and latents_std need one value a latent channel");
  }
  if (std::ranges::any_of(latents_std, [](double s) { return !(s > 0); })) refuse("latents_std must be positive");
}

Json to_json(const AutoencoderConfig& config) {
  const std::size_t levels = config.block_out_channels.size();
  Json json = {{"_class_name", "AutoencoderKL"},
               {"in_channels", config.in_channels},
               {"out_channels", config.out_channels},
               {"down_block_types", std::vector<std::string>(levels, "DownEncoderBlock2D")},
               {"up_block_types", std::vector<std::string>(levels, "UpDecoderBlock2D")},
               {"block_out_channels", config.block_out_channels},
               {"layers_per_block", config.layers_per_block},
               {"act_fn", "silu"},
               {"latent_channels", config.latent_channels},
               {"norm_num_groups", config.norm_num_groups},
               {"scaling_factor", config.scaling_factor},
               {"shift_factor", nullptr},
               {"latents_mean", nullptr},
               {"latents_std", nullptr},
               {"use_quant_conv", config.use_quant_conv},
               {"use_post_quant_conv", config.use_post_quant_conv},
               {"mid_block_add_attention", config.mid_block_add_attention},
               {"patch_size", config.patch_size},
               {"linear_shortcut", config.linear_shortcut}};
  if (!config.latents_mean.empty()) {
    json["latents_mean"] = config.latents_mean;
    json["latents_std"] = config.latents_std;
  }
  return json;
}

AutoencoderConfig autoencoder_config_from_json(const Json& value, const std::string& place) {
  check_block_types(value, "down_block_types", "DownEncoderBlock2D", place);
  check_block_types(value, "up_block_types", "UpDecoderBlock2D", place);
  if (json_member_or<std::string>(value, "act_fn", "silu", place) != "silu") {
    throw DataError(place, "key \"act_fn\" is not silu, the only one this autoencoder has");
  }
  if (value.contains("shift_factor") && !value["shift_factor"].is_null() && value["shift_factor"] != 0) {
    throw DataError(place, "key \"shift_factor\" is set, this autoencoder has none", "use latents_mean instead");
  }
  AutoencoderConfig config;
  config.in_channels = json_member<std::int64_t>(value, "in_channels", place);
  config.out_channels = json_member<std::int64_t>(value, "out_channels", place);
  config.block_out_channels = json_member<std::vector<std::int64_t>>(value, "block_out_channels", place);
  config.layers_per_block = json_member<std::int64_t>(value, "layers_per_block", place);
  config.latent_channels = json_member<std::int64_t>(value, "latent_channels", place);
  config.norm_num_groups = json_member<std::int64_t>(value, "norm_num_groups", place);
  config.use_quant_conv = json_member_or<bool>(value, "use_quant_conv", true, place);
  config.use_post_quant_conv = json_member_or<bool>(value, "use_post_quant_conv", true, place);
  config.mid_block_add_attention = json_member_or<bool>(value, "mid_block_add_attention", true, place);
  config.scaling_factor = json_member_or<double>(value, "scaling_factor", 0.18215, place);
  config.latents_mean = list_or_null(value, "latents_mean", place);
  config.latents_std = list_or_null(value, "latents_std", place);
  config.patch_size = json_member_or<std::int64_t>(value, "patch_size", 1, place);
  config.linear_shortcut = json_member_or<bool>(value, "linear_shortcut", false, place);
  blame_file(place, [&] { config.validate(); });
  return config;
}

}  // namespace terragen::models
