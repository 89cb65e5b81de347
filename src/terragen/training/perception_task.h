// Training of a segmenter or detector on labelled images, real or painted. Classifiers: see classification_task.h.
#pragma once

#include "terragen/models/perception_model.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct PerceptionTaskOptions {
  double colour_jitter = 0.2;  // brightness and contrast of an image change by up to this share
  double blur = 0;             // pixels: most deviation of the Gaussian that half of the images are blurred with
  double dice_weight = 0.5;    // segmenters: of the Dice loss beside cross entropy, for classes of few pixels

  void validate() const;
};

// What a segmenter should say: [N, S, S] int64. 255 where nothing is known: outside the image, and where a dense mask
// has no label, see PerceptionConfig::classes_of.
torch::Tensor class_targets(const std::vector<layout::Layout>& layouts, const torch::Tensor& valid,
                            const models::PerceptionConfig& config);

class PerceptionTask : public Task {
 public:
  // `shown`: a few samples for previews.
  PerceptionTask(models::PerceptionModel model, shards::Batch shown, PerceptionTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return model_.network(); }
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  // Batch normalisation is over the whole batch.
  bool may_be_split() const override { return false; }
  // Real images, labels, and what the network says.
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  torch::Tensor segmentation_loss(const torch::Tensor& images, const shards::Batch& batch, Scalars& scalars);

  models::PerceptionModel model_;
  shards::Batch shown_;
  PerceptionTaskOptions options_;
};

}  // namespace terragen::training
