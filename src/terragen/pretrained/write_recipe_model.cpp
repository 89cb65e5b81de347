// Writes a Stable Diffusion 1.5 of full size as a Diffusers folder, its weights made from their names alone: for trials
// and measurements where no published weights are at hand. What it paints is noise.
//
//   write_recipe_model VOCABULARY FOLDER      VOCABULARY: OpenAI's bpe_simple_vocab_16e6.txt.gz
#include <cstdio>
#include <exception>
#include <filesystem>

#include "terragen/core/json_file.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"
#include "terragen/tensor/recipe_weights.h"

namespace terragen {
namespace {

namespace fs = std::filesystem;

// The gain of the published networks' reference tensors.
constexpr double kGain = 1.0;

template <class Part>
void write_part(Part part, const fs::path& folder, const char* file) {
  fs::create_directories(folder);
  write_json(folder / "config.json", to_json(part->config()));
  tensor::TensorMap halves;
  for (const auto& [name, value] : models::collect_parameters(*part)) {
    halves[name] = test::recipe_weights({{name, value}}, kGain).at(name).to(torch::kFloat16);
  }
  tensor::save_safetensors(folder / file, halves, {{"format", "pt"}});
}

void write_model(const fs::path& vocabulary, const fs::path& folder) {
  const char* const weights = "diffusion_pytorch_model.safetensors";
  models::UNetConfig unet;
  unet.cross_attention_dim = 768;
  write_part(models::UNet2DConditionModel(unet), folder / "unet", weights);
  models::AutoencoderConfig autoencoder;
  autoencoder.block_out_channels = {128, 256, 512, 512};
  write_part(models::AutoencoderKL(autoencoder), folder / "vae", weights);
  models::ClipTextConfig text;
  text.hidden_size = 768;
  text.intermediate_size = 3072;
  text.num_attention_heads = 12;
  write_part(models::ClipTextModel(text), folder / "text_encoder", "model.safetensors");
  models::ClipTokenizer(vocabulary).save(folder / "tokenizer");
  fs::create_directories(folder / "scheduler");
  write_json(folder / "scheduler" / "scheduler_config.json", {{"_class_name", "PNDMScheduler"},
                                                              {"beta_start", 0.00085},
                                                              {"beta_end", 0.012},
                                                              {"beta_schedule", "scaled_linear"},
                                                              {"num_train_timesteps", 1000},
                                                              {"set_alpha_to_one", false},
                                                              {"skip_prk_steps", true},
                                                              {"steps_offset", 1}});
  write_json(folder / "model_index.json", {{"_class_name", "StableDiffusionPipeline"},
                                           {"vae", {"diffusers", "AutoencoderKL"}},
                                           {"unet", {"diffusers", "UNet2DConditionModel"}},
                                           {"text_encoder", {"transformers", "CLIPTextModel"}},
                                           {"tokenizer", {"transformers", "CLIPTokenizer"}},
                                           {"scheduler", {"diffusers", "PNDMScheduler"}}});
}

}  // namespace
}  // namespace terragen

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "write_recipe_model VOCABULARY FOLDER\n");
    return 2;
  }
  try {
    terragen::write_model(arguments[1], arguments[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
