// A published text-to-image model: Stable Diffusion 1 or 2 as a Diffusers folder or as its authors' single file.
#pragma once

#include <filesystem>
#include <optional>

#include "terragen/diffusion/scheduler_config.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"
#include "terragen/models/control_net.h"
#include "terragen/models/unet.h"

namespace terragen::pretrained {

struct Checkpoint {
  models::AutoencoderKL autoencoder{nullptr};
  models::UNet2DConditionModel unet{nullptr};
  models::ClipTextModel text_encoder{nullptr};
  std::optional<models::ClipTokenizer> tokenizer;  // a single file has none
  diffusion::SchedulerConfig scheduler;
};

struct LoadOptions {
  // Of a single file, which does not say it.
  std::filesystem::path tokenizer;  // see ClipTokenizer; empty: none
  // Stable Diffusion 1 and the base version of 2 predict "epsilon", the 768-pixel version of 2 "v_prediction".
  std::string prediction_type = "epsilon";
  // For a model that is only run in bfloat16: its U-Net, autoencoder or ControlNet keep their products' weights so, see
  // nn::keep_products_in_bfloat16, and take half the memory from the first.
  bool bf16 = false;
};

// `path`: a folder with model_index.json, vae/, unet/, text_encoder/, tokenizer/, scheduler/, or a file of safetensors
// or PyTorch's archive with the original names. Weights in float32 are mapped, not copied; others become float32 (but
// see LoadOptions::bf16). DataError naming the file and the tensor or key for a part that is missing, damaged, of a
// wrong shape or of a kind that is not offered here.
Checkpoint load_checkpoint(const std::filesystem::path& path, const LoadOptions& options = {});

// `path`: a folder with config.json and the weights, as diffusers publishes ControlNets, or a file of safetensors or
// PyTorch's archive with the original names. DataError as above.
models::ControlNet load_control_net(const std::filesystem::path& path, bool bf16 = false);

}  // namespace terragen::pretrained
