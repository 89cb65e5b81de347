#include "terragen/app/train_command.h"

#include <cstdio>
#include <format>
#include <memory>

#include "terragen/app/train_options.h"
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

bool has_begun(const fs::path& run) {
  return fs::exists(run / "log.jsonl") || fs::exists(run / "model") || training::newest_checkpoint(run);
}

// What a run has packed for itself. A request that is refused before its first step leaves nothing behind.
class PackedForRun {
 public:
  explicit PackedForRun(fs::path run)
      : run_(std::move(run)), folder_(run_ / "shards"), run_existed_(fs::exists(run_)) {}
  ~PackedForRun() {
    if (!made_ || has_begun(run_)) return;
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    if (!run_existed_) fs::remove(run_, ignored);  // only when nothing else lies in it
  }
  PackedForRun(const PackedForRun&) = delete;
  PackedForRun& operator=(const PackedForRun&) = delete;

  // Shards of the datasets, packed once.
  fs::path of(const std::vector<fs::path>& datasets, bool resume) {
    if (has_begun(run_) && !resume) {
      throw RequestError(std::format("{} holds a training run already", run_.string()),
                         "continue it with --resume, or choose another folder");
    }
    if (fs::exists(folder_ / "shards.json")) {
      data::require_packed_of(datasets, folder_);
    } else {
      data::pack_datasets(datasets, folder_, {});
      made_ = true;
    }
    return folder_;
  }

 private:
  fs::path run_;
  fs::path folder_;
  bool run_existed_ = false;
  bool made_ = false;
};

void train(TrainOptions options) {
  options.job.run = options.run;
  options.job.from = options.from;
  options.job.reference_weights = options.reference_weights;
  options.job.trainer.stop_after_seconds = options.minutes * 60.0;
  PackedForRun packed(options.run);
  // A folder of shards is taken as it is.
  const bool is_packed = options.data.size() == 1 && fs::exists(fs::path(options.data.front()) / "shards.json");
  options.job.shards = is_packed ? fs::path(options.data.front())
                                 : packed.of({options.data.begin(), options.data.end()}, options.job.trainer.resume);
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
  add_train_options(*command, job, options->reference_weights);
  command->add_option("--minutes", options->minutes, "Save and end after this long; 0: no limit")
      ->group("Run")
      ->capture_default_str();
  command->callback([options, command, &run] {
    run = [options, command] {
      check_train_options(*command, options->job);
      train(*options);
    };
  });
}

}  // namespace terragen::app
