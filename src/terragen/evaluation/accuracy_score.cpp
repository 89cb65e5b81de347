#include "terragen/evaluation/accuracy_score.h"

#include <algorithm>
#include <format>

#include "terragen/core/error.h"
#include "terragen/core/stopwatch.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/repainting.h"
#include "terragen/shards/shard_writer.h"
#include "terragen/training/train_job.h"

namespace terragen::evaluation {
namespace {

namespace fs = std::filesystem;

void write_as_bytes(shards::ShardWriter& writer, const shards::Sample& sample) {
  const torch::Tensor bytes = ((sample.image.clamp(-1.0, 1.0) + 1) * 127.5).round().to(torch::kUInt8);
  writer.add("train", bytes, sample.valid.to(torch::kUInt8), sample.layout, sample.source);
}

shards::ShardSet as_byte_set(shards::ShardSet set) {
  set.data_type = "uint8";
  for (shards::ShardBand& band : set.bands) band = {band.name, 0, 255};
  set.files.clear();
  return set;
}

models::PerceptionModel trained_classifier(const fs::path& shards, const fs::path& run,
                                           const AccuracyScoreOptions& options) {
  training::TrainJob job;
  job.model = "classifier";
  job.shards = shards;
  job.run = run;
  job.batch = 4;
  job.crop = options.size;
  job.compute = options.compute;
  job.trainer.steps = options.steps;
  job.trainer.learning_rate = 1e-3;
  job.trainer.warmup_steps = options.steps / 10;
  job.trainer.ema_decay = 0.99;
  job.trainer.seed = options.seed;
  job.trainer.preview_every = 0;
  job.trainer.checkpoint_every = options.steps;
  training::run_train_job(job);
  return models::load_perception_model(run / "model");
}

}  // namespace

void AccuracyScoreOptions::validate() const {
  if (steps < 1) throw RequestError(std::format("{} training steps are not possible", steps));
  if (split == "train") {
    throw RequestError("the classification accuracy score is of images that no classifier was trained on",
                       "choose --split test or val");
  }
}

void check_accuracy_score(const data::Dataset& dataset, const AccuracyScoreOptions& options) {
  options.validate();
  if (dataset.taxonomy.size() + (dataset.dense ? 0 : 1) < 2) {
    throw RequestError(std::format("{} has one class and no background: there is nothing to tell apart", dataset.name),
                       "leave out --cas-steps");
  }
  const data::Dataset training = data::training_images(dataset);
  for (const data::ImageRecord& image : training.images) {
    if (std::min(image.width, image.height) >= options.size) continue;
    throw RequestError(std::format("{} of {} is of {}x{} pixels, less than the {} to be painted", image.file_name,
                                   dataset.name, image.width, image.height, options.size),
                       "choose a smaller --size");
  }
}

AccuracyScore classification_accuracy_score(const data::Dataset& dataset, synthesis::Painter& painter,
                                            const AccuracyScoreOptions& options) {
  check_accuracy_score(dataset, options);
  const data::PackedSamples training({data::real_images(dataset, "train")}, "train");
  const data::PackedSamples test({data::real_images(dataset, options.split)}, options.split);
  AccuracyScore score{.steps = options.steps, .training_images = training.reader().size()};

  // What packing made for the while goes with it, and so does what lies beside.
  const fs::path scratch = training.shards().parent_path();
  for (const char* kind : {"real", "painted"}) fs::create_directory(scratch / kind);
  shards::ShardWriter real(as_byte_set(training.reader().set()), scratch / "real");
  shards::ShardWriter painted(as_byte_set(training.reader().set()), scratch / "painted");
  const Stopwatch painting;
  repaint(training.reader(), painter, {.size = options.size, .seed = options.seed},
          [&](const shards::Sample& seen, const shards::Sample& made) {
            write_as_bytes(real, seen);
            write_as_bytes(painted, made);
          });
  real.finish();
  painted.finish();
  score.paint_seconds = painting.seconds();

  const Stopwatch learning;
  const auto of_real = trained_classifier(scratch / "real", scratch / "real-run", options);
  const auto of_painted = trained_classifier(scratch / "painted", scratch / "painted-run", options);
  score.train_seconds = learning.seconds();
  score.real = evaluate_classification(of_real, test.reader(), options.split, options.compute);
  score.painted = evaluate_classification(of_painted, test.reader(), options.split, options.compute);
  return score;
}

Json to_json(const AccuracyScore& score) {
  return {{"steps", score.steps},
          {"training_images", score.training_images},
          {"trained_on_real", to_json(score.real)},
          {"trained_on_painted", to_json(score.painted)},
          {"ratio", score.real.accuracy > 0 ? Json(score.painted.accuracy / score.real.accuracy) : Json()},
          {"paint_seconds", score.paint_seconds},
          {"train_seconds", score.train_seconds}};
}

}  // namespace terragen::evaluation
