#include "terragen/app/protocol_options.h"

#include <cstdio>

namespace terragen::app {

training::TrainJob protocol_training() {
  training::TrainJob train;
  train.batch = 8;
  train.most_synthetic = 0.5;
  train.real_last = 0.3;
  train.trainer.steps = 400;
  train.trainer.learning_rate = 1e-3;
  train.trainer.warmup_steps = 40;
  train.trainer.ema_decay = 0.99;
  return train;
}

void add_protocol_training_options(CLI::App& command, training::TrainJob& train) {
  command.add_option("--train-steps", train.trainer.steps, "Optimiser steps of every model")->capture_default_str();
  command.add_option("--train-batch", train.batch, "Samples a step")->capture_default_str();
  command.add_option("--crop", train.crop, "Pixels of training crops")->capture_default_str();
  command.add_option("--learning-rate", train.trainer.learning_rate, "Highest learning rate")->capture_default_str();
  command
      .add_option("--balance", train.balance,
                  "Datasets, and real and new images, are drawn by their number to this power")
      ->capture_default_str();
  command.add_option("--most-synthetic", train.most_synthetic, "Most share of new images in what is drawn")
      ->capture_default_str();
  command.add_option("--class-share", train.class_share, "See `terragen train`")->capture_default_str();
  command.add_option("--real-last", train.real_last, "See `terragen train`")->capture_default_str();
}

void add_earlier_option(CLI::App& command, std::vector<std::filesystem::path>& earlier) {
  command.add_option("--earlier", earlier,
                     "Figures (--json) of an earlier run with the same settings, on any machine: its models are not "
                     "trained again; may be repeated");
}

void tell_protocol(const std::string& table, double seconds, std::int64_t peak_memory, const Json& figures,
                   const std::filesystem::path& file, const std::string& json) {
  std::printf("\n%s", table.c_str());
  std::printf("all models: %.0f s, peak memory %.0f MiB\n", seconds, static_cast<double>(peak_memory) / (1 << 20));
  write_json(file, figures);
  if (!json.empty()) write_json(json, figures);
  std::printf("report: %s\n", (file.parent_path() / "report.html").c_str());
}

}  // namespace terragen::app
