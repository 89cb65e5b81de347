// A model on disk: model_index.json and one folder a part (vae, unet, layout_encoder, reference_encoder, text_encoder,
// tokenizer, scheduler), as diffusers has it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/caption_encoder.h"
#include "terragen/models/layout_encoder.h"
#include "terragen/models/reference_encoder.h"
#include "terragen/models/unet.h"

namespace terragen::models {

// One band of the images a model paints: [-1, 1] maps linearly to [low, high] of the stored values.
struct BandRange {
  std::string name;
  double low = 0;
  double high = 255;
};

struct ImageInfo {
  std::vector<BandRange> bands;
  std::string data_type = "uint8";  // of the images written: "uint8", "uint16", "int16", "float32"
};

Json images_to_json(const ImageInfo& images);
// DataError naming `place`.
ImageInfo images_from_json(const Json& value, const std::string& place);

// Parts that a folder does not have are null.
struct ModelFolder {
  ImageInfo images;
  AutoencoderKL autoencoder{nullptr};
  UNet2DConditionModel unet{nullptr};
  LayoutEncoder layout_encoder{nullptr};
  ReferenceEncoder reference_encoder{nullptr};
  std::shared_ptr<CaptionEncoder> captions;  // of a model made from a published one
  Json scheduler;                            // diffusers' scheduler_config.json
  std::vector<std::string> dense_tasks;      // tasks whose layouts are class masks rather than features
  Json card;                                 // licences, attribution, data, settings: carried along, shown by `info`
  std::string hash;                          // SHA-256 over the weights of all parts; set by load_model
};

// DataError naming file and tensor when anything does not fit.
ModelFolder load_model(const std::filesystem::path& folder);
// Writes all parts that are there, weights as fp16, atomically (an older folder is replaced). Low-rank adaptations of
// the U-Net are taken into its weights, and lie beside it in pytorch_lora_weights.safetensors, too.
void save_model(const ModelFolder& model, const std::filesystem::path& folder);

}  // namespace terragen::models
