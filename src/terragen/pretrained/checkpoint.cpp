#include "terragen/pretrained/checkpoint.h"

#include <algorithm>
#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/ldm_config.h"
#include "terragen/pretrained/ldm_names.h"
#include "terragen/tensor/new_tensors_are.h"
#include "terragen/tensor/weight_files.h"

namespace terragen::pretrained {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
constexpr const char* kConfigFile = "config.json";

template <class Model, class Config>
Model ready(const Config& config, const tensor::TensorMap& weights, const std::string& place, bool bf16 = false) {
  if (!bf16) {
    Model model(config);
    models::adopt_parameters(*model, weights, place);
    model->eval();
    return model;
  }
  // What a new network begins with is thrown away at once; in this type it takes no more memory than what comes.
  const tensor::NewTensorsAre halves(torch::kBFloat16);
  Model model(config);
  models::adopt_in_bfloat16(*model, weights, place);
  model->eval();
  return model;
}

// The part's entry in model_index.json is [library, class].
void check_part(const Json& index, const char* part, const std::vector<std::string>& classes, const fs::path& folder) {
  const std::string place = (folder / "model_index.json").string();
  const auto entry = json_member<std::vector<Json>>(index, part, place);
  if (entry.size() != 2 || !entry[1].is_string()) {
    throw DataError(place, std::format("key \"{}\" names no class, the model has no such part", part));
  }
  if (std::ranges::find(classes, entry[1].get<std::string>()) == classes.end()) {
    throw DataError(place, std::format("key \"{}\" names {}, which is not offered", part, entry[1].get<std::string>()));
  }
  if (!fs::is_directory(folder / part)) throw DataError((folder / part).string(), "is missing");
}

std::string config_place(const fs::path& folder) { return (folder / kConfigFile).string(); }

models::AutoencoderKL load_autoencoder(const fs::path& folder, bool bf16) {
  const fs::path weights = tensor::find_weights(folder, kDiffusersStem);
  return ready<models::AutoencoderKL>(
      models::autoencoder_config_from_json(read_json(folder / kConfigFile), config_place(folder)),
      with_todays_attention(tensor::map_weights(weights)), weights.string(), bf16);
}

models::UNet2DConditionModel load_unet(const fs::path& folder, bool bf16) {
  const fs::path weights = tensor::find_weights(folder, kDiffusersStem);
  return ready<models::UNet2DConditionModel>(
      models::unet_config_from_json(read_json(folder / kConfigFile), config_place(folder)),
      tensor::map_weights(weights), weights.string(), bf16);
}

models::ClipTextModel load_text_encoder(const fs::path& folder) {
  const fs::path weights = tensor::find_transformers_weights(folder);
  tensor::TensorMap tensors = tensor::map_weights(weights);
  // Older files carry the numbers 0, 1, 2, ... along.
  std::erase_if(tensors, [](const auto& item) { return item.first.ends_with(".position_ids"); });
  return ready<models::ClipTextModel>(
      models::clip_text_config_from_json(read_json(folder / kConfigFile), config_place(folder)), tensors,
      weights.string());
}

// Python writes an infinity that JSON does not have, for a limit that is none.
Json read_scheduler(const fs::path& path) {
  std::string text = read_file(path);
  const std::string infinity = "-Infinity";
  for (std::size_t at = text.find(infinity); at != std::string::npos; at = text.find(infinity, at)) {
    const bool quoted = at > 0 && text[at - 1] == '"';
    if (!quoted) text.replace(at, infinity.size(), "null");
    at += quoted ? infinity.size() : 0;
  }
  return parse_json(text, path.string());
}

Checkpoint load_folder(const fs::path& folder, bool bf16) {
  const fs::path index_file = folder / "model_index.json";
  if (!fs::exists(index_file)) throw DataError(folder.string(), "is no model: it holds no model_index.json");
  const Json index = read_json(index_file);
  if (index.contains("terragen")) {
    throw DataError(folder.string(), "paints from layouts, not from a text alone",
                    "give it layouts instead of --prompt");
  }
  check_part(index, "vae", {"AutoencoderKL"}, folder);
  check_part(index, "unet", {"UNet2DConditionModel"}, folder);
  check_part(index, "text_encoder", {"CLIPTextModel"}, folder);
  check_part(index, "tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}, folder);
  const fs::path scheduler = folder / "scheduler" / "scheduler_config.json";
  Checkpoint checkpoint;
  checkpoint.scheduler = diffusion::scheduler_config_from_json(read_scheduler(scheduler), scheduler.string());
  checkpoint.tokenizer.emplace(folder / "tokenizer");
  checkpoint.autoencoder = load_autoencoder(folder / "vae", bf16);
  checkpoint.unet = load_unet(folder / "unet", bf16);
  checkpoint.text_encoder = load_text_encoder(folder / "text_encoder");
  return checkpoint;
}

// Of a file with the original names.
tensor::TensorMap map_original(const fs::path& path) {
  tensor::TensorMap tensors = tensor::map_weights(path);
  // PyTorch's archives keep them under this key, beside what training left.
  const std::string state = "state_dict.";
  tensor::TensorMap inner;
  for (const auto& [name, value] : tensors) {
    if (name.starts_with(state)) inner[name.substr(state.size())] = value;
  }
  return inner.empty() ? tensors : inner;
}

Checkpoint load_single_file(const fs::path& path, const LoadOptions& options) {
  const tensor::TensorMap tensors = map_original(path);
  const std::string place = path.string();
  const LdmParts parts = from_ldm_names(tensors, place);
  Checkpoint checkpoint;
  checkpoint.unet =
      ready<models::UNet2DConditionModel>(ldm_unet_config(parts.unet, place), parts.unet, place, options.bf16);
  checkpoint.autoencoder = ready<models::AutoencoderKL>(ldm_autoencoder_config(parts.autoencoder, place),
                                                        parts.autoencoder, place, options.bf16);
  checkpoint.text_encoder =
      ready<models::ClipTextModel>(ldm_text_config(parts.text_encoder, place), parts.text_encoder, place);
  if (!options.tokenizer.empty()) {
    checkpoint.tokenizer.emplace(options.tokenizer);
    // A tokenizer's folder says how it pads; the bare vocabulary does not.
    if (parts.is_open_clip && !fs::is_directory(options.tokenizer)) checkpoint.tokenizer->pad_with(0);
  }
  checkpoint.scheduler = {.class_name = "DDIMScheduler",
                          .prediction_type = options.prediction_type,
                          .steps_offset = 1,
                          .set_alpha_to_one = false};
  checkpoint.scheduler.validate();
  return checkpoint;
}

}  // namespace

Checkpoint load_checkpoint(const fs::path& path, const LoadOptions& options) {
  if (!fs::exists(path)) throw DataError(path.string(), "does not exist");
  Checkpoint checkpoint = fs::is_directory(path) ? load_folder(path, options.bf16) : load_single_file(path, options);
  const std::int64_t said = checkpoint.text_encoder->config().hidden_size;
  const std::int64_t heard = checkpoint.unet->config().cross_attention_dim;
  if (said != heard) {
    throw DataError(path.string(),
                    std::format("the text encoder says {} numbers a token, the U-Net listens to {}", said, heard));
  }
  return checkpoint;
}

models::ControlNet load_control_net(const fs::path& path, bool bf16) {
  if (!fs::exists(path)) throw DataError(path.string(), "does not exist");
  if (!fs::is_directory(path)) {
    const std::string place = path.string();
    const tensor::TensorMap tensors = control_net_from_ldm_names(map_original(path), place);
    return ready<models::ControlNet>(ldm_control_net_config(tensors, place), tensors, place, bf16);
  }
  const fs::path weights = tensor::find_weights(path, kDiffusersStem);
  return ready<models::ControlNet>(
      models::control_net_config_from_json(read_json(path / kConfigFile), config_place(path)),
      tensor::map_weights(weights), weights.string(), bf16);
}

}  // namespace terragen::pretrained
