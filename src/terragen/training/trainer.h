// The one trainer: every model of TerraGen is trained by this loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "terragen/shards/loader.h"
#include "terragen/tensor/device.h"
#include "terragen/training/task.h"

namespace terragen::training {

struct TrainerOptions {
  std::int64_t steps = 10000;
  double learning_rate = 2e-4;
  double weight_decay = 0.01;
  std::int64_t warmup_steps = 200;
  double final_rate_share = 0.1;  // the rate falls along a cosine to this share of itself
  double clip_norm = 1.0;
  double ema_decay = 0.999;
  std::uint64_t seed = 0;
  std::int64_t log_every = 20;
  std::int64_t preview_every = 1000;  // 0: never
  std::int64_t checkpoint_every = 500;
  std::int64_t stop_after = 0;    // 0: none; otherwise save and end after this many steps of this call
  double stop_after_seconds = 0;  // 0: none; otherwise save and end after this long
  int data_parallel = 1;          // parts of a batch that are computed side by side
  bool resume = false;
  Json agreed = Json::object();  // whatever else a run that is resumed must have in common with its beginning

  void validate() const;
};

enum class TrainingEnd { finished, paused };

// Trains `task` on `loader` into the folder `run`: checkpoint-*/, log.jsonl, loss.png, preview-*.png and at the end
// model/. A run that exists is refused unless `resume`. On an interrupt a checkpoint is saved and Interrupted thrown;
// a loss that is not finite saves the last good state and throws DataError naming the batch's images.
class Trainer {
 public:
  Trainer(Task& task, shards::Loader& loader, std::filesystem::path run, TrainerOptions options,
          tensor::ComputeOptions compute);
  TrainingEnd train();

 private:
  double rate_at(std::int64_t step) const;
  void preview(class Ema& ema, std::int64_t step);

  Task& task_;
  shards::Loader& loader_;
  std::filesystem::path run_;
  TrainerOptions options_;
  tensor::ComputeOptions compute_;
};

}  // namespace terragen::training
