#include "terragen/evaluation/perception_training.h"

#include "terragen/core/error.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packing.h"
#include "terragen/tensor/flop_counter.h"

namespace terragen::evaluation {

namespace fs = std::filesystem;

TrainingCost train_perception(const std::vector<data::Dataset>& datasets, training::TrainJob job, const fs::path& run,
                              std::uint64_t seed) {
  if (datasets.empty()) throw InternalError("[train_perception] there are no datasets");
  fs::remove_all(run);
  fs::create_directories(run);
  const fs::path shards = run / "shards";
  data::pack_datasets(datasets, shards, {});
  job.model = datasets.front().task == "detection" ? "detector" : "segmenter";
  job.shards = shards;
  job.run = run;
  job.trainer.seed = seed;
  job.trainer.preview_every = 0;
  job.trainer.checkpoint_every = job.trainer.steps;
  const Stopwatch watch;
  const tensor::FlopCounter flops;
  training::run_train_job(job);
  const TrainingCost cost{watch.seconds(), flops.count()};
  fs::remove_all(shards);
  for (const auto& entry : fs::directory_iterator(run)) {
    if (entry.path().filename().string().starts_with("checkpoint")) fs::remove_all(entry.path());
  }
  return cost;
}

Json training_recipe(const training::TrainJob& job) {
  const Json settings = training::to_json(job);
  Json recipe = Json::object();
  // By name: what a generator may be told besides must not make an earlier experiment one of other settings.
  for (const char* name : {"architecture",     "balance",       "batch",          "blur",
                           "clip_norm",        "colour_jitter", "crop",           "cycle",
                           "data_parallel",    "device",        "dice_weight",    "ema_decay",
                           "final_rate_share", "learning_rate", "most_synthetic", "precision",
                           "real_last",        "scale_jitter",  "steps",          "warmup_steps",
                           "weight_decay"}) {
    recipe[name] = settings.at(name);
  }
  if (job.class_share > 0) recipe["class_share"] = job.class_share;
  return recipe;
}

}  // namespace terragen::evaluation
