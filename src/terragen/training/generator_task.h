// Training of the generator: U-Net and layout encoder on the autoencoder's latents.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "terragen/diffusion/noise_schedule.h"
#include "terragen/models/model_folder.h"
#include "terragen/training/adversarial_term.h"
#include "terragen/training/reference_draw.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct GeneratorTaskOptions {
  double object_weight = 1.0;     // lambda of the mask-weighted loss; 0: plain
  double weight_exponent = 0.25;  // alpha of the mask-weighted loss
  double drop_layout = 0.1;       // shares of samples whose conditions are withheld, independently
  double drop_task = 0.1;
  double drop_metadata = 0.2;
  double drop_all = 0.05;      // and together: what guidance leads away from
  double inpaint_share = 0.2;  // of samples that see part of the image and paint the rest
  // What a dense mask leaves unlabelled is not trained on, as if it had not been measured: a class that was withheld
  // stays unseen.
  bool labelled_only = false;
  // Of samples from which a thing is cut, to be painted again after a picture of it (see draw_references); above 0 the
  // model gets a reference encoder.
  double reference_share = 0.0;
  double transplant_share = 0.0;  // of these things, from another sample of the batch (see ReferenceDrawOptions)
  double drop_reference = 0.1;
  double drop_text = 0.1;  // share of samples without a caption, where the model hears captions
  // "full": everything; "adapter": the layout encoder and what the layout says to the U-Net, and its first convolution,
  // which sees the hole; "lora": these and a low-rank adaptation of the U-Net's attention.
  std::string tuning = "full";
  std::int64_t lora_rank = 8;
  // Weight min(SNR, gamma) of the x0 error; 0: none. Where the schedule ends at zero SNR it silences exactly the steps
  // that turn a layout into a scene, so none is the default.
  double min_snr_gamma = 0.0;

  AdversarialOptions adversarial;

  void validate() const;
};

class GeneratorTask : public Task {
 public:
  // `model` must hold autoencoder, U-Net and layout encoder, and a reference encoder where things are to be cut; the
  // autoencoder stays frozen. `shown`: a few samples that previews paint again.
  GeneratorTask(models::ModelFolder model, shards::Batch shown, GeneratorTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return trained_; }
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  double rate_factor(const std::string& parameter) const override;
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  // Normalised latents; those of a batch with a key are kept (2 bytes a value) and not computed twice.
  torch::Tensor latents_of(const shards::Batch& batch, const torch::Device& device);
  ReferenceDrawOptions reference_options() const;
  // What the captions of layouts say, [N, T, D]; told: [N] bool, false for a sample that hears an empty one.
  torch::Tensor texts_of(const std::vector<layout::Layout>& layouts, const torch::Tensor& told);
  void freeze_what_is_not_tuned();

  models::ModelFolder model_;
  std::shared_ptr<torch::nn::Module> trained_;
  diffusion::NoiseSchedule schedule_;
  shards::Batch shown_;
  GeneratorTaskOptions options_;
  std::map<std::int64_t, torch::Tensor> latents_;
  std::mutex latents_mutex_;
  std::unique_ptr<AdversarialTerm> adversary_;  // null without adversarial weight
};

}  // namespace terragen::training
