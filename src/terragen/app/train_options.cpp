#include "terragen/app/train_options.h"

#include <algorithm>
#include <array>
#include <format>
#include <string>
#include <vector>

#include "terragen/app/paint_options.h"
#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"

namespace terragen::app {
namespace {

// A heading of options that only some kinds of model have.
struct KindGroup {
  const char* heading;
  std::vector<std::string> kinds;
};

const KindGroup kGenerator{"Generator", {"generator"}};
const KindGroup kAdversarial{"Generator and decoder", {"generator", "decoder"}};
const KindGroup kDecoder{"Decoder", {"decoder"}};
const KindGroup kAutoencoder{"Autoencoder", {"autoencoder"}};
const KindGroup kPerception{"Segmenter, detector and classifier", {"segmenter", "detector", "classifier"}};
const KindGroup kBlurred{"Segmenter and detector", {"segmenter", "detector"}};
const std::array kKindGroups{&kGenerator, &kAdversarial, &kDecoder, &kAutoencoder, &kPerception, &kBlurred};

// Options that are added from here on stand under this heading.
void begin_group(CLI::App& command, const char* heading) { command.option_defaults()->group(heading); }

void add_data_options(CLI::App& command, training::TrainJob& job) {
  begin_group(command, "Data");
  command.add_option("--batch", job.batch, "Samples a step")->capture_default_str();
  command.add_option("--crop", job.crop, "Pixels of the square crops")->capture_default_str();
  command
      .add_option("--balance", job.balance,
                  "Datasets, and real and synthetic images, are drawn by their number to this power; 0: equally often")
      ->capture_default_str();
  command.add_option("--most-synthetic", job.most_synthetic, "Most share of synthetic images in what is drawn")
      ->capture_default_str();
  command
      .add_option("--real-last", job.real_last,
                  "Share of the steps, the last ones, that see real images alone and no synthetic ones")
      ->capture_default_str();
  command
      .add_option("--class-share", job.class_share,
                  "Share of crops that are laid over a class of a dense mask, rare ones oftener")
      ->capture_default_str();
  command
      .add_option("--cycle", job.cycle,
                  "Batches after which the same crops come again, a generator's latents kept; 0: never")
      ->capture_default_str();
  command.add_option("--loader-threads", job.loader_threads, "Threads that prepare batches ahead")
      ->capture_default_str();
}

void add_optimiser_options(CLI::App& command, training::TrainerOptions& trainer) {
  begin_group(command, "Optimiser");
  command.add_option("--steps", trainer.steps, "Optimiser steps")->capture_default_str();
  command.add_option("--learning-rate", trainer.learning_rate, "Highest learning rate")->capture_default_str();
  command.add_option("--warmup", trainer.warmup_steps, "Steps of linear warm-up")->capture_default_str();
  command.add_option("--ema", trainer.ema_decay, "Decay of the weights' moving average")->capture_default_str();
  command.add_option("--data-parallel", trainer.data_parallel, "Parts of a batch computed side by side")
      ->capture_default_str();
  command.add_option("--seed", trainer.seed, "Seed of every random draw")->capture_default_str();
}

void add_run_options(CLI::App& command, training::TrainJob& job) {
  begin_group(command, "Run");
  command.add_flag("--resume", job.trainer.resume, "Continue the run from its newest checkpoint");
  command.add_option("--checkpoint-every", job.trainer.checkpoint_every, "Steps between checkpoints")
      ->capture_default_str();
  command.add_option("--preview-every", job.trainer.preview_every, "Steps between sample grids; 0: none")
      ->capture_default_str();
  command.add_option("--log-every", job.trainer.log_every, "Steps between lines of the log")->capture_default_str();
  add_compute_options(command, job.compute);
}

void add_generator_options(CLI::App& command, training::TrainJob& job, std::string& reference_weights) {
  begin_group(command, kGenerator.heading);
  training::GeneratorTaskOptions& loss = job.generator_loss;
  command.add_flag("--autoencoder-only", job.autoencoder_only,
                   "Take nothing but the autoencoder of --from, and train a new generator");
  command
      .add_option("--tuning", loss.tuning,
                  "What of a generator is trained: full; adapter: what the layout says; lora: this and a low-rank "
                  "adaptation of the U-Net's attention")
      ->check(CLI::IsMember({"full", "adapter", "lora"}))
      ->capture_default_str();
  command.add_option("--lora-rank", loss.lora_rank, "Rank of the adaptation")->capture_default_str();
  command.add_option("--inpaint-share", loss.inpaint_share, "Share of samples trained to inpaint")
      ->capture_default_str();
  command
      .add_option("--reference-share", loss.reference_share,
                  "Share of samples from which a thing is cut, to be painted again after a picture of it")
      ->capture_default_str();
  command
      .add_option("--transplant-share", loss.transplant_share,
                  "Of these, the share in which something of another image is to be painted")
      ->capture_default_str();
  command.add_option("--reference-weights", reference_weights,
                     "Folder of CLIP's image encoder, which a new reference encoder looks through");
  command.add_flag("--labelled-only", loss.labelled_only, "Train on labelled pixels alone, where masks are dense");
  command
      .add_option("--drop-text", loss.drop_text,
                  "Share of samples without their caption, for models that hear captions")
      ->capture_default_str();
  command.add_option("--object-weight", loss.object_weight, "lambda of the mask-weighted loss; 0: plain")
      ->capture_default_str();
  command.add_option("--weight-exponent", loss.weight_exponent, "alpha of the mask-weighted loss")
      ->capture_default_str();
  command.add_option("--prediction", job.prediction_type, "v_prediction or epsilon")->capture_default_str();
  command.add_option("--unet-channels", job.unet_channels, "Channels of a new U-Net's levels")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--layout-channels", job.layout_channels,
                  "Channels of a new layout encoder's levels; else 64, 96 and 128s")
      ->delimiter(',');
  command.add_flag("!--no-vector-branch", job.vector_branch, "Without the layout encoder's vector branch");
  command.add_flag("!--no-raster-branch", job.raster_branch, "Without the layout encoder's raster branch");
  command.add_flag("--single-scale", job.single_scale, "Inject the layout at the first level alone");
}

void add_adversarial_options(CLI::App& command, training::AdversarialOptions& options) {
  begin_group(command, kAdversarial.heading);
  command
      .add_option("--adversarial-weight", options.weight,
                  "Adversarial gradient against the error's; above 0 a generator paints in few steps, a decoder paints "
                  "texture")
      ->capture_default_str();
  command
      .add_option("--adversarial-rate-factor", options.rate_factor,
                  "Learning rate of the discriminator against the model's")
      ->capture_default_str();
}

void add_decoder_options(CLI::App& command, training::TrainJob& job) {
  begin_group(command, kDecoder.heading);
  command.add_option("--latent-noise", job.latent_noise, "Most noise on the latents a decoder is trained on")
      ->capture_default_str();
  command
      .add_option("--denoise-steps", job.denoise_steps,
                  "Time steps of noise the generator takes off the latents a decoder is trained on; 0: none")
      ->capture_default_str();
}

void add_autoencoder_options(CLI::App& command, training::TrainJob& job) {
  begin_group(command, kAutoencoder.heading);
  command.add_option("--latent-channels", job.latent_channels, "Channels of a new autoencoder's latent")
      ->capture_default_str();
  command.add_option("--autoencoder-channels", job.autoencoder_channels, "Channels of a new autoencoder's levels")
      ->delimiter(',')
      ->capture_default_str();
}

void add_perception_options(CLI::App& command, training::TrainJob& job) {
  begin_group(command, kPerception.heading);
  command.add_option("--architecture", job.architecture,
                     "segformer-b0 or unet-resnet18; fcos-resnet18 or fcos-resnet18-oriented; resnet18");
  begin_group(command, kBlurred.heading);
  command
      .add_option("--blur", job.perception.blur,
                  "Pixels: most deviation of the Gaussian that half of the images are blurred with")
      ->capture_default_str();
}

}  // namespace

void add_train_options(CLI::App& command, training::TrainJob& job, std::string& reference_weights) {
  add_data_options(command, job);
  add_optimiser_options(command, job.trainer);
  add_run_options(command, job);
  add_generator_options(command, job, reference_weights);
  add_adversarial_options(command, job.generator_loss.adversarial);
  add_decoder_options(command, job);
  add_autoencoder_options(command, job);
  add_perception_options(command, job);
}

void check_train_options(const CLI::App& command, const training::TrainJob& job) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0) continue;
    const auto group = std::ranges::find(kKindGroups, option->get_group(), &KindGroup::heading);
    if (group == kKindGroups.end() || std::ranges::find((*group)->kinds, job.model) != (*group)->kinds.end()) continue;
    throw RequestError(std::format("--{} has no meaning for a {}", option->get_lnames().front(), job.model),
                       "an option of: " + comma_list((*group)->kinds));
  }
}

}  // namespace terragen::app
