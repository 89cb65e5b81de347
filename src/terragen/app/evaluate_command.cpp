#include "terragen/app/evaluate_command.h"

#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>
#include <string>
#include <vector>

#include "terragen/app/few_shot_command.h"
#include "terragen/app/fidelity_command.h"
#include "terragen/app/memorisation_command.h"
#include "terragen/app/paint_options.h"
#include "terragen/app/quality_command.h"
#include "terragen/app/usefulness_command.h"
#include "terragen/core/json_file.h"
#include "terragen/data/packed_samples.h"
#include "terragen/evaluation/classification.h"
#include "terragen/evaluation/leak_check.h"
#include "terragen/evaluation/perception.h"
#include "terragen/evaluation/reconstruction.h"

namespace terragen::app {
namespace {

struct MeasureOptions {
  std::string model;
  std::vector<std::string> data;
  std::string split = "test";
  std::string json;
  tensor::ComputeOptions compute;
};

void reconstruction(const MeasureOptions& options) {
  const std::vector<std::filesystem::path> data(options.data.begin(), options.data.end());
  const auto report = evaluation::evaluate_reconstruction(options.model, data, options.split, options.compute);
  std::printf("%-28s %8s %10s %10s\n", "dataset", "images", "PSNR dB", "worst");
  for (const auto& score : report.scores) {
    std::printf("%-28s %8zu %10.2f %10.2f\n", score.dataset.c_str(), score.images, score.psnr, score.worst_psnr);
  }
  std::printf("%-28s %8s %10.2f   (%s split, %.0f s)\n", "mean over datasets", "", report.mean_psnr,
              report.split.c_str(), report.seconds);
  if (!options.json.empty()) write_json(options.json, evaluation::to_json(report));
}

void classification(const models::PerceptionModel& model, const data::PackedSamples& data,
                    const MeasureOptions& options) {
  const auto report = evaluation::evaluate_classification(model, data.reader(), options.split, options.compute);
  std::printf("%-20s %10s %10s\n", "class", "windows", "accuracy");
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    const std::string accuracy = report.class_windows[k] > 0 ? std::format("{:.4f}", report.class_accuracy[k]) : "-";
    std::printf("%-20s %10lld %10s\n", report.classes[k].c_str(), static_cast<long long>(report.class_windows[k]),
                accuracy.c_str());
  }
  std::printf("%-20s %10lld %10.4f\n%-20s %10s %10.4f\n", "all", static_cast<long long>(report.windows),
              report.accuracy, "mean over classes", "", report.balanced_accuracy);
  std::printf("%zu images of the %s split, %.0f s\n", report.images, report.split.c_str(), report.seconds);
  if (!options.json.empty()) write_json(options.json, evaluation::to_json(report));
}

void perception(const MeasureOptions& options) {
  const models::PerceptionModel model = models::load_perception_model(options.model);
  const std::vector<std::filesystem::path> folders(options.data.begin(), options.data.end());
  const data::PackedSamples data(folders, options.split);
  if (options.split == "test") evaluation::check_model(model.config.card, options.model, data.reader());
  if (model.config.is_classifier()) {
    classification(model, data, options);
    return;
  }
  const auto report = evaluation::evaluate_perception(model, data.reader(), options.split, options.compute);
  // Beside the first figure a second one: of the outlines, or as DOTA counts.
  const metrics::ClassScores& second = report.segmenter ? report.boundary_iou : report.dota_ap50;
  std::printf("%-20s %10s %14s\n", "class", report.segmenter ? "IoU" : "AP50",
              report.segmenter           ? "boundary IoU"
              : report.dota_ap50.empty() ? ""
                                         : "AP50 of DOTA");
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    std::printf("%-20s %10.4f", report.classes[k].c_str(),
                report.segmenter ? report.iou[k] : report.coco.category_ap50[k]);
    std::printf(k < second.size() ? " %14.4f\n" : "\n", k < second.size() ? second[k] : 0.0);
  }
  if (report.segmenter) {
    std::printf("%-20s %10.4f %14.4f   (background left out)\n%-20s %10.4f\n", "mean", report.mean_iou,
                metrics::mean_present(second), "pixel accuracy", report.pixel_accuracy);
  } else {
    if (!second.empty()) std::printf("%-20s %10s %14.4f\n", "mean", "", metrics::mean_present(second));
    for (std::size_t k = 0; k < report.coco.figures.size(); ++k) {
      std::printf("%-20s %10.4f\n", metrics::kCocoFigures[k], report.coco.figures[k]);
    }
  }
  std::printf("%zu images of the %s split, %.0f s\n", report.images, report.split.c_str(), report.seconds);
  if (!options.json.empty()) write_json(options.json, evaluation::to_json(report));
}

void add_measure(CLI::App& command, const std::string& name, const std::string& about,
                 void (*measure)(const MeasureOptions&), std::function<void()>& run) {
  auto options = std::make_shared<MeasureOptions>();
  CLI::App* sub = command.add_subcommand(name, about);
  sub->add_option("model", options->model, "Model folder")->required();
  sub->add_option("data", options->data, "Dataset folders, or one folder of packed shards")->required();
  sub->add_option("--split", options->split, "train, val or test")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "val", "test"}));
  sub->add_option("--json", options->json, "Also write the figures to this file");
  add_compute_options(*sub, options->compute);
  sub->callback([options, measure, &run] { run = [options, measure] { measure(*options); }; });
}

}  // namespace

void add_evaluate_command(CLI::App& app, std::function<void()>& run) {
  CLI::App* command = app.add_subcommand("evaluate", "Measure what a model is worth on held-out places");
  command->require_subcommand(1);
  add_measure(*command, "reconstruction", "PSNR of the autoencoder, by dataset", reconstruction, run);
  add_measure(*command, "perception", "IoU of a segmenter, average precision of a detector, accuracy of a classifier",
              perception, run);
  add_quality_command(*command, run);
  add_fidelity_command(*command, run);
  add_memorisation_command(*command, run);
  add_usefulness_command(*command, run);
  add_few_shot_command(*command, run);
}

}  // namespace terragen::app
