#include "terragen/app/augment_command.h"

#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>
#include <optional>
#include <string>

#include "terragen/app/paint_options.h"
#include "terragen/app/variation_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/data/dataset.h"
#include "terragen/synthesis/augment.h"

namespace terragen::app {
namespace {

struct AugmentRequest {
  std::string dataset;
  std::string model;
  std::string judge;
  std::string output;
  synthesis::PaintOptions paint;
  synthesis::AugmentOptions augment;
  const CLI::App* of_painting = nullptr;  // its options are those of the method "terragen" alone
};

void augment(AugmentRequest options) {
  options.augment.validate();
  options.paint.validate();
  if (options.augment.method != "terragen") {
    for (const CLI::Option* option : options.of_painting->get_options()) {
      if (option->count() == 0) continue;
      throw RequestError(std::format("{} is of no use to the method {}", option->get_name(), options.augment.method));
    }
  }
  const int threads = tensor::set_threads(options.paint.compute.threads);
  const data::Dataset dataset = data::read_dataset(options.dataset);
  std::optional<synthesis::Painter> painter;
  if (!options.model.empty()) painter.emplace(models::load_model(options.model), options.paint);
  std::optional<models::PerceptionInference> judge;
  if (!options.judge.empty()) {
    judge.emplace(models::load_perception_model(options.judge), options.paint.compute);
  }
  const synthesis::AugmentSummary summary = synthesis::augment_dataset(
      dataset, painter ? &*painter : nullptr, judge ? &*judge : nullptr, options.augment, options.output);
  std::printf("%zu new images beside %zu real ones in %s\n", summary.made - summary.rejected,
              options.augment.keep_real ? summary.real : 0, options.output.c_str());
  if (judge) {
    std::printf("judged: mean score %.3f, threshold %.3f, %zu of %zu rejected (%.1f %%), %.1f s, %.3f TFLOP an image\n",
                summary.mean_score, summary.threshold, summary.rejected, summary.made,
                100.0 * static_cast<double>(summary.rejected) / static_cast<double>(summary.made),
                summary.judge_seconds, summary.judge_flops / 1e12 / static_cast<double>(summary.made));
  }
  std::printf("made in %.1f s on %d threads: %.2f images a second, %.2f TFLOP an image, peak memory %.0f MiB\n",
              summary.make_seconds, threads, static_cast<double>(summary.made) / summary.make_seconds,
              summary.make_flops / 1e12 / static_cast<double>(summary.made),
              static_cast<double>(peak_memory_bytes()) / (1 << 20));
}

}  // namespace

void add_augment_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<AugmentRequest>();
  CLI::App* command = app.add_subcommand("augment", "Enlarge a dataset with new labelled images");
  synthesis::AugmentOptions& augment_options = options->augment;
  command->add_option("dataset", options->dataset, "Dataset folder")->required();
  command->add_option("-o,--output", options->output, "Folder of the new dataset")->required();
  command->add_option("--per-image", augment_options.per_image, "New images for every training image")
      ->capture_default_str();
  command->add_option("--method", augment_options.method, "terragen (painted), copy-paste, photometric or geometric")
      ->capture_default_str();
  command->add_option("--seed", augment_options.seed, "Seed")->capture_default_str();
  command->add_option("--size", augment_options.variation.size, "Pixels of new images")->capture_default_str();
  command->add_option("--judge", options->judge, "Trained segmenter or detector that scores every new image");
  command->add_option("--least-score", augment_options.least_score, "New images that score lower are rejected");
  command
      ->add_option("--reject-share", augment_options.reject_share,
                   "Or: this share of the new images, the lowest scores")
      ->capture_default_str();
  command->add_flag("!--without-real", augment_options.keep_real, "Write the new images alone");
  CLI::App* painting = command->add_option_group("Painting");
  options->of_painting = painting;
  painting->add_option("--model", options->model, "Model folder that paints");
  add_variation_options(*painting, augment_options.variation);
  add_paint_options(*painting, options->paint);
  add_compute_options(*command, options->paint.compute);
  command->callback([options, &run] { run = [options] { augment(*options); }; });
}

}  // namespace terragen::app
