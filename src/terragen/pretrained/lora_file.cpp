#include "terragen/pretrained/lora_file.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/tensor/safetensors.h"
#include "terragen/tensor/weight_files.h"

namespace terragen::pretrained {
namespace {

namespace fs = std::filesystem;

// One weight's tensors as they come. Undefined: nothing.
struct Found {
  torch::Tensor down, up, alpha;
};

// What each ending of a name holds.
const std::vector<std::pair<std::string, torch::Tensor Found::*>>& endings() {
  static const std::vector<std::pair<std::string, torch::Tensor Found::*>> all = {
      {".lora_A.weight", &Found::down},
      {".lora_B.weight", &Found::up},
      {".lora.down.weight", &Found::down},
      {".lora.up.weight", &Found::up},
      {".lora_linear_layer.down.weight", &Found::down},
      {".lora_linear_layer.up.weight", &Found::up},
      {"_lora.down.weight", &Found::down},
      {"_lora.up.weight", &Found::up},
      {".lora_down.weight", &Found::down},
      {".lora_up.weight", &Found::up},
      {".alpha", &Found::alpha}};
  return all;
}

// A module's name without what older files and PEFT put into it.
std::string todays_name(std::string name) {
  const auto replace = [&](const std::string& old, const std::string& fresh) {
    if (const std::size_t at = name.find(old); at != std::string::npos) name.replace(at, old.size(), fresh);
  };
  if (name.starts_with("base_model.model.")) name.erase(0, std::string("base_model.model.").size());
  if (name.starts_with("lora_te1_")) name.replace(0, std::string("lora_te1_").size(), "lora_te_");
  if (name.find(".processor.") != std::string::npos) {
    replace(".processor.", ".");
    if (name.ends_with(".to_out")) name += ".0";
  }
  const bool placed = name.starts_with("unet.") || name.starts_with("text_encoder.") || name.starts_with("lora_");
  return placed ? name : "unet." + name;
}

// How strong all adaptations of U-Net or text encoder are, where a file says it once.
struct Strength {
  double alpha = 0;  // 0: not said
  bool by_root = false;

  double scale(double rank) const { return alpha == 0 ? 1.0 : alpha / (by_root ? std::sqrt(rank) : rank); }
};

// `prefix`: what stands before the keys of one network.
Strength strength_of(const Json& config, const std::string& prefix, const std::string& place) {
  const auto refuse = [&](const std::string& key) {
    throw DataError(place, std::format("key \"{}\" asks for an adaptation that is not offered", prefix + key));
  };
  for (const char* pattern : {"alpha_pattern", "rank_pattern"}) {
    if (const auto found = config.find(prefix + pattern); found != config.end() && !found->empty()) refuse(pattern);
  }
  if (json_member_or<Json>(config, prefix + "use_dora", false, place) == Json(true)) refuse("use_dora");
  const Json root = json_member_or<Json>(config, prefix + "use_rslora", false, place);
  return {json_member_or<double>(config, prefix + "lora_alpha", 0.0, place), root == Json(true)};
}

struct Strengths {
  Strength unet, text_encoder;
};

Strengths strengths_of(const fs::path& path, const std::map<std::string, std::string>& metadata) {
  const std::string place = path.string();
  if (const auto found = metadata.find("lora_adapter_metadata"); found != metadata.end()) {
    const Json config = Json::parse(found->second, nullptr, false);
    if (!config.is_object()) throw DataError(place, "holds metadata \"lora_adapter_metadata\" that are no JSON object");
    return {strength_of(config, "unet.", place), strength_of(config, "text_encoder.", place)};
  }
  const fs::path beside = path.parent_path() / "adapter_config.json";
  if (!path.filename().string().starts_with("adapter_model.") || !fs::exists(beside)) return {};
  const Strength all = strength_of(read_json(beside), "", beside.string());
  return {all, all};
}

}  // namespace

std::map<std::string, LoraPair> read_lora_file(const fs::path& path) {
  const std::string place = path.string();
  const tensor::SafetensorsFile file = path.extension() == ".safetensors"
                                           ? tensor::map_safetensors(path)
                                           : tensor::SafetensorsFile{tensor::map_weights(path), {}};
  std::map<std::string, Found> found;
  for (const auto& [name, value] : file.tensors) {
    const auto ending = std::ranges::find_if(endings(), [&](const auto& each) { return name.ends_with(each.first); });
    if (ending == endings().end()) throw DataError(place, std::format("tensor \"{}\" is no part of a LoRA", name));
    found[todays_name(name.substr(0, name.size() - ending->first.size()))].*ending->second = value;
  }
  if (found.empty()) throw DataError(place, "holds no tensors");
  const Strengths strengths = strengths_of(path, file.metadata);
  std::map<std::string, LoraPair> pairs;
  for (const auto& [name, tensors] : found) {
    const auto refuse = [&](const std::string& what) {
      throw DataError(place, std::format("tensor \"{}\" {}", name, what));
    };
    if (!tensors.down.defined() || !tensors.up.defined()) refuse("has only one of its two halves");
    if (tensors.alpha.defined() && tensors.alpha.numel() != 1) refuse("has an alpha that is no single number");
    if (tensors.down.dim() < 2 || tensors.up.dim() < 2) refuse("is no matrix");
    const auto rank = static_cast<double>(tensors.down.size(0));
    const bool text = name.starts_with("text_encoder.") || name.starts_with("lora_te_");
    const double scale = tensors.alpha.defined() ? tensors.alpha.to(torch::kFloat64).item<double>() / rank
                                                 : (text ? strengths.text_encoder : strengths.unet).scale(rank);
    pairs[name] = {tensors.down, tensors.up, scale};
  }
  return pairs;
}

}  // namespace terragen::pretrained
