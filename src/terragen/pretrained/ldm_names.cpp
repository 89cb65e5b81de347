#include "terragen/pretrained/ldm_names.h"

#include <charconv>
#include <format>
#include <map>
#include <optional>
#include <vector>

#include "terragen/core/error.h"

namespace terragen::pretrained {
namespace {

using Path = std::vector<std::string>;

Path split(const std::string& name) {
  Path parts;
  std::size_t begin = 0;
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', begin)) {
    parts.push_back(name.substr(begin, dot - begin));
    begin = dot + 1;
  }
  parts.push_back(name.substr(begin));
  return parts;
}

// The parts from `first` on, joined by dots.
std::string joined(const Path& path, std::size_t first) {
  std::string name;
  for (std::size_t i = first; i < path.size(); ++i) name += (name.empty() ? "" : ".") + path[i];
  return name;
}

std::optional<int> number(const Path& path, std::size_t at) {
  if (at >= path.size()) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(path[at].data(), path[at].data() + path[at].size(), value);
  if (error != std::errc() || end != path[at].data() + path[at].size() || value < 0) return std::nullopt;
  return value;
}

// `path` from `first` on behind `prefix`, its longest known beginning replaced; nothing where none is known.
std::optional<std::string> replaced(const std::string& prefix, const Path& path, std::size_t first,
                                    const std::map<std::string, std::string>& names) {
  std::string begun;
  std::optional<std::string> result;
  for (std::size_t i = first; i < path.size(); ++i) {
    begun += (begun.empty() ? "" : ".") + path[i];
    const auto found = names.find(begun);
    if (found == names.end()) continue;
    const std::string rest = joined(path, i + 1);
    result = prefix + found->second + (rest.empty() ? "" : "." + rest);
  }
  return result;
}

std::optional<std::string> resnet_name(const std::string& prefix, const Path& path, std::size_t first) {
  static const std::map<std::string, std::string> names = {
      {"in_layers.0", "norm1"},  {"in_layers.2", "conv1"},  {"emb_layers.1", "time_emb_proj"},
      {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}, {"skip_connection", "conv_shortcut"}};
  return replaced(prefix, path, first, names);
}

// A residual block, an attention or a change of size within one of the U-Net's numbered blocks.
std::optional<std::string> block_part(const std::string& block, int layer, const std::string& sizer, const Path& path) {
  const auto part = number(path, 2);
  if (!part || path.size() < 5) return std::nullopt;
  if (path[3] == "op" || path[3] == "conv") return block + "." + sizer + ".0.conv." + joined(path, 4);
  if (*part == 0) return resnet_name(std::format("{}.resnets.{}.", block, layer), path, 3);
  return std::format("{}.attentions.{}.{}", block, layer, joined(path, 3));
}

// `layers`: residual blocks a level.
std::optional<std::string> unet_name(const std::string& name, int layers) {
  static const std::map<std::string, std::string> ends = {{"time_embed.0", "time_embedding.linear_1"},
                                                          {"time_embed.2", "time_embedding.linear_2"},
                                                          {"input_blocks.0.0", "conv_in"},
                                                          {"out.0", "conv_norm_out"},
                                                          {"out.2", "conv_out"}};
  const Path path = split(name);
  if (const auto end = replaced("", path, 0, ends)) return end;
  const auto index = number(path, 1);
  if (!index) return std::nullopt;
  if (path[0] == "input_blocks") {
    const int behind = *index - 1;
    return block_part(std::format("down_blocks.{}", behind / (layers + 1)), behind % (layers + 1), "downsamplers",
                      path);
  }
  if (path[0] == "output_blocks") {
    return block_part(std::format("up_blocks.{}", *index / (layers + 1)), *index % (layers + 1), "upsamplers", path);
  }
  if (path[0] != "middle_block") return std::nullopt;
  if (*index == 1) return "mid_block.attentions.0." + joined(path, 2);
  return resnet_name(*index == 0 ? "mid_block.resnets.0." : "mid_block.resnets.1.", path, 2);
}

// `levels`: of the decoder, which counts them from the finest.
std::optional<std::string> autoencoder_name(const std::string& name, int levels) {
  static const std::map<std::string, std::string> ends = {{"conv_in", "conv_in"},
                                                          {"conv_out", "conv_out"},
                                                          {"norm_out", "conv_norm_out"},
                                                          {"mid.block_1", "mid_block.resnets.0"},
                                                          {"mid.block_2", "mid_block.resnets.1"},
                                                          {"mid.attn_1.norm", "mid_block.attentions.0.group_norm"},
                                                          {"mid.attn_1.q", "mid_block.attentions.0.to_q"},
                                                          {"mid.attn_1.k", "mid_block.attentions.0.to_k"},
                                                          {"mid.attn_1.v", "mid_block.attentions.0.to_v"},
                                                          {"mid.attn_1.proj_out", "mid_block.attentions.0.to_out.0"}};
  const Path path = split(name);
  if (path[0] == "quant_conv" || path[0] == "post_quant_conv") return name;
  if (path[0] != "encoder" && path[0] != "decoder") return std::nullopt;
  std::optional<std::string> result = replaced(path[0] + ".", path, 1, ends);
  const auto level = number(path, 2);
  if (!result && path.size() > 5 && (path[1] == "down" || path[1] == "up") && level) {
    const std::string block = path[1] == "down" ? std::format("encoder.down_blocks.{}", *level)
                                                : std::format("decoder.up_blocks.{}", levels - 1 - *level);
    if (path[3] == "block") result = std::format("{}.resnets.{}", block, joined(path, 4));
    if (path[3] == "downsample") result = block + ".downsamplers.0." + joined(path, 4);
    if (path[3] == "upsample") result = block + ".upsamplers.0." + joined(path, 4);
  }
  if (!result) return std::nullopt;
  constexpr std::string_view kOld = "nin_shortcut";
  if (const std::size_t at = result->find(kOld); at != std::string::npos) {
    result->replace(at, kOld.size(), "conv_shortcut");
  }
  return result;
}

// One of OpenCLIP's tensors; queries, keys and values lie in one there.
void add_open_clip(const std::string& name, const torch::Tensor& value, tensor::TensorMap& text,
                   const std::string& place) {
  static const std::map<std::string, std::string> ends = {
      {"token_embedding.weight", "embeddings.token_embedding.weight"},
      {"positional_embedding", "embeddings.position_embedding.weight"},
      {"ln_final.weight", "final_layer_norm.weight"},
      {"ln_final.bias", "final_layer_norm.bias"}};
  static const std::map<std::string, std::string> layer_names = {{"ln_1", "layer_norm1"},
                                                                 {"ln_2", "layer_norm2"},
                                                                 {"attn.out_proj", "self_attn.out_proj"},
                                                                 {"mlp.c_fc", "mlp.fc1"},
                                                                 {"mlp.c_proj", "mlp.fc2"}};
  if (name == "text_projection" || name == "logit_scale" || name == "attn_mask" || name.ends_with("position_ids"))
    return;
  const std::string model = "text_model.";
  if (const auto found = ends.find(name); found != ends.end()) {
    text[model + found->second] = value;
    return;
  }
  const Path path = split(name);
  const auto layer = number(path, 2);
  if (path.size() > 4 && path[0] == "transformer" && path[1] == "resblocks" && layer) {
    const std::string prefix = std::format("{}encoder.layers.{}.", model, *layer);
    if (path[3] == "attn" && path[4].starts_with("in_proj_") && value.dim() > 0 && value.size(0) % 3 == 0) {
      const std::string kind = path[4].substr(std::string_view("in_proj_").size());
      const auto parts = value.chunk(3);
      for (std::size_t i = 0; i < 3; ++i) {
        text[std::format("{}self_attn.{}_proj.{}", prefix, "qkv"[i], kind)] = parts[i];
      }
      return;
    }
    if (const auto known = replaced(prefix, path, 3, layer_names)) {
      text[*known] = value;
      return;
    }
  }
  throw DataError(place, std::format("tensor \"cond_stage_model.model.{}\" is not known", name));
}

// The number behind `prefix` in any name, plus one; 0 where there is none.
int count_of(const tensor::TensorMap& tensors, const std::string& prefix) {
  int count = 0;
  for (const auto& [name, value] : tensors) {
    if (!name.starts_with(prefix)) continue;
    if (const auto index = number(split(name.substr(prefix.size())), 0)) count = std::max(count, *index + 1);
  }
  return count;
}

// `network`: what stands before the names of the U-Net or ControlNet.
int layers_a_level(const tensor::TensorMap& tensors, const std::string& network) {
  // The first change of size stands behind the first level's residual blocks.
  for (int i = 1; i <= count_of(tensors, network + "input_blocks."); ++i) {
    if (tensors.contains(std::format("{}input_blocks.{}.0.op.weight", network, i))) return i - 1;
  }
  return 2;
}

// What a ControlNet has beyond the U-Net's down path. `hints`: convolutions of the picture's embedding; functions
// without weights stand between them and are counted too.
std::optional<std::string> control_name(const std::string& name, int layers, int hints) {
  const Path path = split(name);
  const auto index = number(path, 1);
  if (path[0] == "input_hint_block" && index && *index % 2 == 0) {
    const int convolution = *index / 2;
    const std::string embedding = "controlnet_cond_embedding.";
    if (convolution == 0) return embedding + "conv_in." + joined(path, 2);
    if (convolution + 1 == hints) return embedding + "conv_out." + joined(path, 2);
    return std::format("{}blocks.{}.{}", embedding, convolution - 1, joined(path, 2));
  }
  if (path[0] == "zero_convs" && index && number(path, 2) == 0) {
    return std::format("controlnet_down_blocks.{}.{}", *index, joined(path, 3));
  }
  if (path[0] == "middle_block_out" && index == 0) return "controlnet_mid_block." + joined(path, 2);
  if (path[0] == "out" || path[0] == "output_blocks") return std::nullopt;
  return unet_name(name, layers);
}

// OpenCLIP's text encoder is heard before its last layer. What was written back from diffusers' parts lacks it already.
void drop_last_layer(tensor::TensorMap& text) {
  constexpr std::int64_t kHugeWidth = 1024;  // ViT-H, Stable Diffusion 2's
  constexpr int kHugeLayers = 24;
  const std::string layers = "text_model.encoder.layers.";
  const int count = count_of(text, layers);
  const auto norm = text.find("text_model.final_layer_norm.weight");
  if (norm != text.end() && norm->second.numel() == kHugeWidth && count < kHugeLayers) return;
  const std::string last = std::format("{}{}.", layers, count - 1);
  std::erase_if(text, [&](const auto& item) { return item.first.starts_with(last); });
}

}  // namespace

LdmParts from_ldm_names(const tensor::TensorMap& tensors, const std::string& place) {
  const std::string unet = "model.diffusion_model.";
  const std::string autoencoder = "first_stage_model.";
  const std::string clip = "cond_stage_model.transformer.";
  const std::string open_clip = "cond_stage_model.model.";
  const int layers = layers_a_level(tensors, unet);
  const int levels = count_of(tensors, autoencoder + "decoder.up.");
  const auto known = [&](const std::optional<std::string>& name, const std::string& original) {
    if (!name) throw DataError(place, std::format("tensor \"{}\" is not known", original));
    return *name;
  };
  LdmParts parts;
  for (const auto& [name, value] : tensors) {
    if (name.starts_with(unet)) {
      parts.unet[known(unet_name(name.substr(unet.size()), layers), name)] = value;
    } else if (name.starts_with(autoencoder)) {
      const std::string inner = name.substr(autoencoder.size());
      // The loss's own networks, where someone kept them.
      if (inner.starts_with("loss.") || inner.starts_with("model_ema.")) continue;
      parts.autoencoder[known(autoencoder_name(inner, levels), name)] = value;
    } else if (name.starts_with(clip)) {
      if (!name.ends_with(".position_ids")) parts.text_encoder[name.substr(clip.size())] = value;
    } else if (name.starts_with(open_clip)) {
      add_open_clip(name.substr(open_clip.size()), value, parts.text_encoder, place);
    }
  }
  if (parts.unet.empty() || parts.autoencoder.empty() || parts.text_encoder.empty()) {
    throw DataError(place,
                    "is no Stable Diffusion: it holds no " + std::string(parts.unet.empty()          ? "U-Net"
                                                                         : parts.autoencoder.empty() ? "autoencoder"
                                                                                                     : "text encoder"));
  }
  parts.is_open_clip = tensors.contains(open_clip + "ln_final.weight");
  if (parts.is_open_clip) drop_last_layer(parts.text_encoder);
  parts.autoencoder = with_todays_attention(parts.autoencoder);
  return parts;
}

tensor::TensorMap control_net_from_ldm_names(const tensor::TensorMap& tensors, const std::string& place) {
  std::string network = "control_model.";
  if (!tensors.contains(network + "input_hint_block.0.weight")) network.clear();
  if (!tensors.contains(network + "input_hint_block.0.weight")) {
    throw DataError(place, "is no ControlNet: it holds no \"input_hint_block.0.weight\"");
  }
  const int layers = layers_a_level(tensors, network);
  const int hints = count_of(tensors, network + "input_hint_block.") / 2 + 1;
  tensor::TensorMap result;
  for (const auto& [name, value] : tensors) {
    if (!name.starts_with(network)) continue;
    const auto known = control_name(name.substr(network.size()), layers, hints);
    if (!known) throw DataError(place, std::format("tensor \"{}\" is not known", name));
    result[*known] = value;
  }
  return result;
}

tensor::TensorMap with_todays_attention(const tensor::TensorMap& autoencoder) {
  const std::string attention = ".mid_block.attentions.0.";
  const std::map<std::string, std::string> names = {
      {"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}};
  tensor::TensorMap result;
  for (const auto& [name, value] : autoencoder) {
    const std::size_t at = name.find(attention);
    if (at == std::string::npos) {
      result[name] = value;
      continue;
    }
    const std::size_t inner = at + attention.size();
    const auto renamed = replaced(name.substr(0, inner), split(name.substr(inner)), 0, names);
    const bool convolution = value.dim() == 4 && value.size(2) == 1 && value.size(3) == 1;
    result[renamed.value_or(name)] = convolution ? value.flatten(1) : value;
  }
  return result;
}

}  // namespace terragen::pretrained
