#include "terragen/app/usefulness_command.h"

#include <algorithm>
#include <cstdio>
#include <format>
#include <memory>
#include <string>
#include <vector>

#include "terragen/app/paint_options.h"
#include "terragen/app/protocol_options.h"
#include "terragen/app/variation_options.h"
#include "terragen/core/error.h"
#include "terragen/evaluation/usefulness_report.h"

namespace terragen::app {
namespace {

struct UsefulnessRequest {
  std::vector<std::string> datasets;
  std::vector<std::string> models;
  std::vector<std::string> tiles = {"all", "20", "5"};
  std::string output;
  std::string json;
  evaluation::UsefulnessOptions usefulness;
};

// "FOLDER" for every dataset, "DATASET=FOLDER" for one.
void read_models(UsefulnessRequest& options) {
  for (const std::string& model : options.models) {
    const auto sign = model.find('=');
    if (sign != std::string::npos) {
      options.usefulness.models[model.substr(0, sign)] = model.substr(sign + 1);
    } else if (options.usefulness.model.empty()) {
      options.usefulness.model = model;
    } else {
      throw RequestError("two models are named for every dataset", "name one as DATASET=FOLDER");
    }
  }
}

void read_tiles(UsefulnessRequest& options) {
  options.usefulness.tiles.clear();
  for (const std::string& count : options.tiles) {
    const bool digits =
        !count.empty() && count.size() < 9 && std::ranges::all_of(count, [](char c) { return c >= '0' && c <= '9'; });
    if (count != "all" && (!digits || std::stoi(count) == 0)) {
      throw RequestError(std::format("--tiles: \"{}\" is neither a number above 0 nor \"all\"", count));
    }
    options.usefulness.tiles.push_back(count == "all" ? 0 : std::stoi(count));
  }
}

void usefulness(UsefulnessRequest options) {
  read_models(options);
  read_tiles(options);
  options.usefulness.datasets.assign(options.datasets.begin(), options.datasets.end());
  options.usefulness.paint.compute = options.usefulness.train.compute;
  options.usefulness.variation.size = options.usefulness.train.crop;
  const std::filesystem::path output = options.output;
  const evaluation::UsefulnessRun run =
      finished_run(evaluation::evaluate_usefulness(options.usefulness, output), output);
  evaluation::write_usefulness_page(run, output, output / "report.html");
  tell_protocol(evaluation::usefulness_text(evaluation::usefulness_rows(run.cells)), run.seconds, run.peak_memory,
                evaluation::to_json(run), output / "usefulness.json", options.json);
}

}  // namespace

void add_usefulness_command(CLI::App& evaluate, std::function<void()>& run) {
  auto options = std::make_shared<UsefulnessRequest>();
  evaluation::UsefulnessOptions& usefulness_options = options->usefulness;
  training::TrainJob& train = usefulness_options.train;
  train = protocol_training();
  train.balance = 1;
  CLI::App* command = evaluate.add_subcommand(
      "usefulness", "Train on real images, and on real with new ones, and test on held-out places");
  command->add_option("datasets", options->datasets, "Dataset folders with training and test places")->required();
  command->add_option("--model", options->models,
                      "Model folder that paints; DATASET=FOLDER for one dataset; may be repeated");
  command->add_option("-o,--output", options->output, "Folder of the run; one that was stopped goes on")->required();
  command->add_option("--json", options->json, "Also write the figures to this file");
  add_earlier_option(*command, usefulness_options.earlier);
  command->add_option("--tiles", options->tiles, "Training images: numbers, or all")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--seeds", usefulness_options.seeds, "Seeds of everything")->capture_default_str();
  command
      ->add_option("--methods", usefulness_options.methods,
                   "Of real, copy-paste, photometric, geometric, terragen, terragen-unfiltered")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--painted", usefulness_options.painted, "New images of a method, about")->capture_default_str();
  command
      ->add_option("--reject-share", usefulness_options.reject_share,
                   "Share of the painted images that the model trained on real ones rejects")
      ->capture_default_str();
  add_variation_options(*command, usefulness_options.variation);
  add_protocol_training_options(*command, train);
  command->add_option("--blur", train.perception.blur, "See `terragen train`")->capture_default_str();
  command->add_option("--architecture", train.architecture,
                      "segformer-b0 or unet-resnet18; fcos-resnet18 or fcos-resnet18-oriented");
  add_paint_options(*command, usefulness_options.paint, "sampling-");
  add_compute_options(*command, train.compute);
  command->callback([options, &run] { run = [options] { usefulness(*options); }; });
}

}  // namespace terragen::app
