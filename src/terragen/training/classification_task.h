// Training of a classifier on windows of labelled images, real or painted.
#pragma once

#include <vector>

#include "terragen/models/perception_model.h"
#include "terragen/training/perception_task.h"
#include "terragen/training/task.h"

namespace terragen::training {

// Cross entropy over the windows of a batch's images (see shards/object_windows.h), drawn anew in every step.
class ClassificationTask : public Task {
 public:
  // `shown`: a few samples for previews. Of the options the colour jitter alone counts, window by window.
  ClassificationTask(models::PerceptionModel model, shards::Batch shown, PerceptionTaskOptions options);
  std::shared_ptr<torch::nn::Module> module() override { return model_.network(); }
  // 0 with a gradient of 0 for a batch in which no window shows anything known.
  torch::Tensor loss(const shards::Batch& batch, std::uint64_t seed, Scalars& scalars) override;
  // Batch normalisation is over the whole batch.
  bool may_be_split() const override { return false; }
  // A row a class: its colour, then windows that show it, framed in the colour of what the network says.
  void write_preview(const std::filesystem::path& png) override;
  void save(const std::filesystem::path& folder) override;
  Json settings() const override;

 private:
  struct Windows {
    torch::Tensor images;              // [n, B, kWindowSize, kWindowSize]
    std::vector<std::int64_t> labels;  // [n]
  };
  Windows windows_of(const shards::Batch& batch, std::uint64_t seed) const;

  models::PerceptionModel model_;
  shards::Batch shown_;
  PerceptionTaskOptions options_;
};

}  // namespace terragen::training
