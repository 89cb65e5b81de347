#include "terragen/app/train_command.h"

#include <cstdio>
#include <format>
#include <memory>

#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packing.h"
#include "terragen/tensor/flop_counter.h"
#include "terragen/training/checkpoint.h"
#include "terragen/training/train_job.h"

namespace terragen::app {
namespace {

namespace fs = std::filesystem;

struct TrainOptions {
  training::TrainJob job;
  std::vector<std::string> data;
  std::string run;
  std::string from;
  std::string reference_weights;
  double minutes = 0;
};

// A folder of shards is taken as it is; datasets are packed into the run's folder once.
fs::path shards_of(const TrainOptions& options) {
  if (options.data.size() == 1 && fs::exists(fs::path(options.data.front()) / "shards.json"))
    return options.data.front();
  const fs::path packed = fs::path(options.run) / "shards";
  const std::vector<fs::path> folders(options.data.begin(), options.data.end());
  // What a request that was refused left behind is no run.
  const bool begun = fs::exists(fs::path(options.run) / "log.jsonl") || training::newest_checkpoint(options.run);
  if (!begun && !options.job.trainer.resume) fs::remove_all(packed);
  if (fs::exists(packed / "shards.json")) {
    if (!options.job.trainer.resume) {
      throw RequestError(std::format("{} holds a training run already", options.run),
                         "continue it with --resume, or choose another folder");
    }
    data::require_packed_of(folders, packed);
    return packed;
  }
  fs::create_directories(options.run);
  data::pack_datasets(folders, packed, {});
  return packed;
}

void train(TrainOptions options) {
  options.job.run = options.run;
  options.job.from = options.from;
  options.job.reference_weights = options.reference_weights;
  options.job.trainer.stop_after_seconds = options.minutes * 60.0;
  options.job.shards = shards_of(options);
  const Stopwatch watch;
  const tensor::FlopCounter flops;
  const training::TrainingEnd end = training::run_train_job(options.job);
  std::printf("%s: %s\n", end == training::TrainingEnd::finished ? "trained model" : "paused, model so far",
              (options.job.run / "model").string().c_str());
  std::printf("log and pictures: %s\n", options.run.c_str());
  std::printf("%.0f s, %.1f TFLOP, peak memory %.0f MiB\n", watch.seconds(), flops.count() / 1e12,
              static_cast<double>(peak_memory_bytes()) / (1 << 20));
  if (end == training::TrainingEnd::paused) std::printf("continue with --resume\n");
}

}  // namespace

void add_train_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<TrainOptions>();
  training::TrainJob& job = options->job;
  CLI::App* command = app.add_subcommand("train", "Train a model on datasets or packed shards");
  command
      ->add_option("model", job.model,
                   "What to train: generator, autoencoder, an autoencoder's decoder; segmenter, detector, classifier")
      ->required()
      ->check(CLI::IsMember({"generator", "autoencoder", "decoder", "segmenter", "detector", "classifier"}));
  command->add_option("data", options->data, "Dataset folders, or one folder of packed shards")->required();
  command->add_option("-o,--output", options->run, "Folder of the run")->required();
  command->add_option(
      "--from", options->from,
      "Model to start from; a generator needs one with an autoencoder, our own or a Stable Diffusion folder");
  command->add_flag("--autoencoder-only", job.autoencoder_only,
                    "Take nothing but the autoencoder of --from, and train a new generator");
  command->add_option("--steps", job.trainer.steps, "Optimiser steps")->capture_default_str();
  command->add_flag("--resume", job.trainer.resume, "Continue the run from its newest checkpoint");
  command->add_option("--seed", job.trainer.seed, "Seed of every random draw")->capture_default_str();
  command->add_option("--device", job.compute.device, "cpu or cuda")->capture_default_str();
  command->add_option("--precision", job.compute.precision, "bf16 or fp32")->capture_default_str();
  command->add_option("--threads", job.compute.threads, "Threads; 0: the processor's cores")->capture_default_str();
  command->add_option("--batch", job.batch, "Samples a step")->capture_default_str();
  command->add_option("--crop", job.crop, "Pixels of the square crops")->capture_default_str();
  command
      ->add_option("--balance", job.balance,
                   "Datasets, and real and synthetic images, are drawn by their number to this power; 0: equally often")
      ->capture_default_str();
  command->add_option("--most-synthetic", job.most_synthetic, "Most share of synthetic images in what is drawn")
      ->capture_default_str();
  command
      ->add_option("--real-last", job.real_last,
                   "Share of the steps, the last ones, that see real images alone and no synthetic ones")
      ->capture_default_str();
  command
      ->add_option("--class-share", job.class_share,
                   "Share of crops that are laid over a class of a dense mask, rare ones oftener")
      ->capture_default_str();
  command->add_option("--loader-threads", job.loader_threads, "Threads that prepare batches ahead")
      ->capture_default_str();
  command->add_option("--data-parallel", job.trainer.data_parallel, "Parts of a batch computed side by side")
      ->capture_default_str();
  command
      ->add_option("--cycle", job.cycle, "Batches after which the same crops come again, their latents kept; 0: never")
      ->capture_default_str();
  command->add_option("--learning-rate", job.trainer.learning_rate, "Highest learning rate")->capture_default_str();
  command->add_option("--warmup", job.trainer.warmup_steps, "Steps of linear warm-up")->capture_default_str();
  command->add_option("--ema", job.trainer.ema_decay, "Decay of the weights' moving average")->capture_default_str();
  command->add_option("--checkpoint-every", job.trainer.checkpoint_every, "Steps between checkpoints")
      ->capture_default_str();
  command->add_option("--preview-every", job.trainer.preview_every, "Steps between sample grids; 0: none")
      ->capture_default_str();
  command->add_option("--log-every", job.trainer.log_every, "Steps between lines of the log")->capture_default_str();
  command->add_option("--minutes", options->minutes, "Save and end after this long; 0: no limit")
      ->capture_default_str();
  command->add_option("--object-weight", job.generator_loss.object_weight, "lambda of the mask-weighted loss; 0: plain")
      ->capture_default_str();
  command->add_option("--weight-exponent", job.generator_loss.weight_exponent, "alpha of the mask-weighted loss")
      ->capture_default_str();
  command
      ->add_option("--reference-share", job.generator_loss.reference_share,
                   "Share of samples from which a thing is cut, to be painted again after a picture of it")
      ->capture_default_str();
  command
      ->add_option("--transplant-share", job.generator_loss.transplant_share,
                   "Of these, the share in which something of another image is to be painted")
      ->capture_default_str();
  command
      ->add_option("--tuning", job.generator_loss.tuning,
                   "What of a generator is trained: full; adapter: what the layout says; lora: this and a low-rank "
                   "adaptation of the U-Net's attention")
      ->check(CLI::IsMember({"full", "adapter", "lora"}))
      ->capture_default_str();
  command->add_option("--lora-rank", job.generator_loss.lora_rank, "Rank of the adaptation")->capture_default_str();
  command
      ->add_option("--drop-text", job.generator_loss.drop_text,
                   "Share of samples without their caption, for models that hear captions")
      ->capture_default_str();
  command->add_option("--reference-weights", options->reference_weights,
                      "Folder of CLIP's image encoder, which a new reference encoder looks through");
  command->add_flag("--labelled-only", job.generator_loss.labelled_only,
                    "Train a generator on labelled pixels alone, where masks are dense");
  command->add_option("--inpaint-share", job.generator_loss.inpaint_share, "Share of samples trained to inpaint")
      ->capture_default_str();
  command
      ->add_option(
          "--adversarial-weight", job.generator_loss.adversarial.weight,
          "Adversarial gradient against the error's; above 0 a generator paints in few steps, a decoder paints texture")
      ->capture_default_str();
  command
      ->add_option("--adversarial-rate-factor", job.generator_loss.adversarial.rate_factor,
                   "Learning rate of the discriminator against the model's")
      ->capture_default_str();
  command->add_option("--latent-noise", job.latent_noise, "Most noise on the latents a decoder is trained on")
      ->capture_default_str();
  command
      ->add_option("--denoise-steps", job.denoise_steps,
                   "Time steps of noise the generator takes off the latents a decoder is trained on; 0: none")
      ->capture_default_str();
  command
      ->add_option(
          "--blur", job.perception.blur,
          "Pixels: most deviation of the Gaussian that half of a segmenter's or detector's images are blurred with")
      ->capture_default_str();
  command->add_option("--architecture", job.architecture,
                      "segformer-b0 or unet-resnet18; fcos-resnet18 or fcos-resnet18-oriented; resnet18");
  command->add_option("--prediction", job.prediction_type, "v_prediction or epsilon")->capture_default_str();
  command->add_option("--latent-channels", job.latent_channels, "Channels of a new autoencoder's latent")
      ->capture_default_str();
  command->add_option("--unet-channels", job.unet_channels, "Channels of a new U-Net's levels")->delimiter(',');
  command
      ->add_option("--layout-channels", job.layout_channels,
                   "Channels of a new layout encoder's levels; else 64, 96 and 128s")
      ->delimiter(',');
  command->add_option("--autoencoder-channels", job.autoencoder_channels, "Channels of a new autoencoder's levels")
      ->delimiter(',');
  command->add_flag("!--no-vector-branch", job.vector_branch, "Without the layout encoder's vector branch");
  command->add_flag("!--no-raster-branch", job.raster_branch, "Without the layout encoder's raster branch");
  command->add_flag("--single-scale", job.single_scale, "Inject the layout at the first level alone");
  command->callback([options, &run] { run = [options] { train(*options); }; });
}

}  // namespace terragen::app
