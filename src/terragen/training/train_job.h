// A training job from packed shards to a model folder: what `terragen train` and the bare machine's trainer both run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/tensor/device.h"
#include "terragen/training/autoencoder_task.h"
#include "terragen/training/decoder_task.h"
#include "terragen/training/generator_task.h"
#include "terragen/training/perception_task.h"
#include "terragen/training/trainer.h"

namespace terragen::training {

struct TrainJob {
  std::string model = "generator";  // or "autoencoder", "decoder", "segmenter", "detector", "classifier"
  std::filesystem::path shards;     // folder with shards.json
  std::filesystem::path run;
  // Model to start from; a generator needs one that holds an autoencoder: of our own or a published one in a Diffusers
  // folder.
  std::filesystem::path from;
  bool autoencoder_only = false;  // a generator takes nothing else of `from`
  int batch = 16;
  int crop = 256;  // pixels
  int loader_threads = 1;
  std::int64_t cycle = 0;  // see LoaderOptions
  double scale_jitter = 1.25;
  double balance = 0.5;       // see LoaderOptions
  double most_synthetic = 1;  // likewise
  double real_last = 0;       // share of the steps, the last ones, that see real images alone
  double class_share = 0;     // see shards::AugmentOptions
  TrainerOptions trainer;
  tensor::ComputeOptions compute;
  AutoencoderTaskOptions autoencoder_loss;
  GeneratorTaskOptions generator_loss;  // a decoder's discriminator takes weight and rate factor from here, too
  double latent_noise = 0.15;           // this and the next: see DecoderTaskOptions
  std::int64_t denoise_steps = 400;
  // Folder of CLIP's image encoder, which a new reference encoder looks through; empty: one of our own.
  std::filesystem::path reference_weights;
  PerceptionTaskOptions perception;
  // Of what looks at images, see PerceptionConfig; empty: segformer-b0, fcos-resnet18, resnet18.
  std::string architecture;
  // Architecture, where `from` does not bring the part.
  std::int64_t latent_channels = 8;
  std::int64_t patch_size = 4;
  std::vector<std::int64_t> autoencoder_channels = {96, 192};
  bool autoencoder_attention = false;  // over all cells in the middle: dear for what it adds
  std::vector<std::int64_t> unet_channels = {96, 160, 256};
  std::vector<std::int64_t> layout_channels;     // empty: 64, 96, and 128 for every level below
  std::string prediction_type = "v_prediction";  // or "epsilon"
  bool vector_branch = true;
  bool raster_branch = true;
  bool single_scale = false;  // inject the layout at the first level alone
};

// Every member by its name; unknown keys are refused with RequestError naming them, so that a typing error is seen.
TrainJob train_job_from_json(const Json& value, const std::string& place);
Json to_json(const TrainJob& job);

// Runs to the end of the job, its time limit or an interrupt (see Trainer). RequestError for settings that cannot be.
TrainingEnd run_train_job(const TrainJob& job);

}  // namespace terragen::training
