#include "terragen/models/model_folder.h"

#include <format>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/models/low_rank.h"
#include "terragen/models/model_io.h"

namespace terragen::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "diffusion_pytorch_model.safetensors";
constexpr const char* kTextWeights = "model.safetensors";  // transformers' name
constexpr const char* kLowRank = "pytorch_lora_weights.safetensors";
constexpr int kFormatVersion = 1;

void save_halves(const tensor::TensorMap& weights, const fs::path& file) {
  tensor::TensorMap halves;
  for (const auto& [name, value] : weights) halves[name] = value.to(torch::kFloat16);
  tensor::save_safetensors(file, halves, {{"format", "pt"}});
}

template <class Part>
void save_part(const Part& part, const Json& config, const fs::path& folder, const char* file = kWeights) {
  fs::create_directories(folder);
  write_json(folder / "config.json", config);
  save_halves(without_low_rank(collect_parameters(*part)), folder / file);
}

template <class Part>
void load_part(Part& part, const fs::path& folder, Sha256& hash, const char* file = kWeights) {
  const fs::path weights = folder / file;
  load_parameters(*part, tensor::load_safetensors(weights).tensors, weights.string());
  const std::string digest = sha256_hex_of_file(weights);
  hash.update(std::as_bytes(std::span(digest)));
  part->eval();
}

// Parts of different models do not paint together.
void check_parts_fit(const ModelFolder& model, const std::string& place) {
  const auto compare = [&](const char* what, std::int64_t one, std::int64_t other) {
    if (one == other) return;
    throw DataError(place,
                    std::format("holds parts that do not fit: {} is {} in one and {} in the other", what, one, other));
  };
  if (!model.unet) return;
  const UNetConfig& unet = model.unet->config();
  if (model.autoencoder) {
    compare("the number of latent channels", model.autoencoder->config().latent_channels, unet.out_channels);
  }
  if (model.layout_encoder) {
    const LayoutEncoderConfig& layout = model.layout_encoder->config();
    compare("the number of levels", std::ssize(layout.channels), std::ssize(unet.block_out_channels));
    compare("the number of layout channels' levels", std::ssize(layout.channels), std::ssize(unet.layout_channels));
    for (std::size_t i = 0; i < layout.channels.size(); ++i) {
      compare("the number of a level's layout channels", layout.channels[i], unet.layout_channels[i]);
    }
    compare("time_dim", layout.time_dim, 4 * unet.block_out_channels.front());
    if (model.autoencoder) compare("the latent's cell", layout.latent_cell, model.autoencoder->config().downscale());
    if (unet.layout_token_dim > 0) compare("token_dim", layout.token_dim, unet.layout_token_dim);
  }
  if (model.captions) {
    compare("the width of the text", model.captions->model()->config().hidden_size, unet.cross_attention_dim);
  }
  if (model.reference_encoder) {
    compare("token_dim", model.reference_encoder->config().token_dim, unet.layout_token_dim);
  }
}

}  // namespace

Json images_to_json(const ImageInfo& images) {
  Json bands = Json::array();
  for (const BandRange& band : images.bands) {
    bands.push_back({{"name", band.name}, {"low", band.low}, {"high", band.high}});
  }
  return {{"bands", bands}, {"data_type", images.data_type}};
}

ImageInfo images_from_json(const Json& value, const std::string& place) {
  ImageInfo images;
  images.data_type = json_member<std::string>(value, "data_type", place);
  for (const Json& band : json_member<Json>(value, "bands", place)) {
    images.bands.push_back({json_member<std::string>(band, "name", place), json_member<double>(band, "low", place),
                            json_member<double>(band, "high", place)});
  }
  return images;
}

ModelFolder load_model(const fs::path& folder) {
  const fs::path index_file = folder / "model_index.json";
  if (!fs::exists(index_file)) {
    throw DataError(folder.string(), "is no model: it holds no model_index.json",
                    "a model is a folder written by `terragen train`, such as RUN/model");
  }
  const Json index = read_json(index_file);
  const std::string place = index_file.string();
  const Json ours = json_member<Json>(index, "terragen", place);
  if (const int version = json_member<int>(ours, "format_version", place); version != kFormatVersion) {
    throw DataError(place, std::format("has format version {}, this program reads {}", version, kFormatVersion));
  }
  ModelFolder model;
  model.images = images_from_json(json_member<Json>(ours, "images", place), place);
  model.dense_tasks = json_member_or<std::vector<std::string>>(ours, "dense_tasks", {}, place);
  model.card = json_member_or<Json>(ours, "card", Json::object(), place);
  Sha256 hash;
  if (index.contains("vae")) {
    const fs::path config = folder / "vae" / "config.json";
    model.autoencoder = AutoencoderKL(autoencoder_config_from_json(read_json(config), config.string()));
    load_part(model.autoencoder, folder / "vae", hash);
  }
  if (index.contains("unet")) {
    const fs::path config = folder / "unet" / "config.json";
    model.unet = UNet2DConditionModel(unet_config_from_json(read_json(config), config.string()));
    load_part(model.unet, folder / "unet", hash);
  }
  if (index.contains("layout_encoder")) {
    const fs::path config = folder / "layout_encoder" / "config.json";
    model.layout_encoder = LayoutEncoder(layout_encoder_config_from_json(read_json(config), config.string()));
    load_part(model.layout_encoder, folder / "layout_encoder", hash);
  }
  if (index.contains("reference_encoder")) {
    const fs::path config = folder / "reference_encoder" / "config.json";
    model.reference_encoder = ReferenceEncoder(reference_encoder_config_from_json(read_json(config), config.string()));
    load_part(model.reference_encoder, folder / "reference_encoder", hash);
  }
  if (index.contains("text_encoder")) {
    const fs::path config = folder / "text_encoder" / "config.json";
    ClipTextModel text(clip_text_config_from_json(read_json(config), config.string()));
    load_part(text, folder / "text_encoder", hash, kTextWeights);
    model.captions = std::make_shared<CaptionEncoder>(text, ClipTokenizer(folder / "tokenizer"));
  }
  check_parts_fit(model, folder.string());
  if (index.contains("scheduler")) model.scheduler = read_json(folder / "scheduler" / "scheduler_config.json");
  model.hash = hash.hex();
  return model;
}

void save_model(const ModelFolder& model, const fs::path& folder) {
  AtomicFolder output(folder, true);
  Json index = {{"_class_name", "TerraGenPipeline"},
                {"terragen",
                 {{"format_version", kFormatVersion},
                  {"images", images_to_json(model.images)},
                  {"dense_tasks", model.dense_tasks},
                  {"card", model.card}}}};
  if (model.autoencoder) {
    index["vae"] = {"terragen", "AutoencoderKL"};
    save_part(model.autoencoder, to_json(model.autoencoder->config()), output.path() / "vae");
  }
  if (model.unet) {
    index["unet"] = {"terragen", "UNet2DConditionModel"};
    save_part(model.unet, to_json(model.unet->config()), output.path() / "unet");
    const tensor::TensorMap low_rank = low_rank_of(collect_parameters(*model.unet));
    if (!low_rank.empty()) save_halves(low_rank, output.path() / kLowRank);
  }
  if (model.layout_encoder) {
    index["layout_encoder"] = {"terragen", "LayoutEncoder"};
    save_part(model.layout_encoder, to_json(model.layout_encoder->config()), output.path() / "layout_encoder");
  }
  if (model.reference_encoder) {
    index["reference_encoder"] = {"terragen", "ReferenceEncoder"};
    save_part(model.reference_encoder, to_json(model.reference_encoder->config()), output.path() / "reference_encoder");
  }
  if (model.captions) {
    index["text_encoder"] = {"transformers", "CLIPTextModel"};
    index["tokenizer"] = {"transformers", "CLIPTokenizer"};
    const ClipTextModel& text = model.captions->model();
    save_part(text, to_json(text->config()), output.path() / "text_encoder", kTextWeights);
    model.captions->tokenizer().save(output.path() / "tokenizer");
  }
  if (!model.scheduler.is_null()) {
    index["scheduler"] = {"terragen", json_member<std::string>(model.scheduler, "_class_name", "scheduler")};
    fs::create_directories(output.path() / "scheduler");
    write_json(output.path() / "scheduler" / "scheduler_config.json", model.scheduler);
  }
  write_json(output.path() / "model_index.json", index);
  output.commit();
}

}  // namespace terragen::models
