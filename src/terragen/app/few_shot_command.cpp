#include "terragen/app/few_shot_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "terragen/app/inpaint_options.h"
#include "terragen/app/paint_options.h"
#include "terragen/app/refiner_options.h"
#include "terragen/core/error.h"
#include "terragen/core/memory.h"
#include "terragen/core/stopwatch.h"
#include "terragen/evaluation/few_shot_report.h"

namespace terragen::app {
namespace {

struct FewShotRequest {
  std::string dataset;
  std::vector<std::string> models;
  std::string output;
  std::string json;
  RefinerRequest refiner;
  evaluation::FewShotOptions few_shot;
};

void few_shot(FewShotRequest request) {
  for (const std::string& model : request.models) {
    const auto sign = model.find('=');
    if (sign == std::string::npos) throw RequestError("--model: \"" + model + "\" is not CLASS=FOLDER");
    request.few_shot.generators[model.substr(0, sign)] = model.substr(sign + 1);
  }
  request.few_shot.dataset = request.dataset;
  request.few_shot.paint.compute = request.few_shot.train.compute;
  const std::filesystem::path output = request.output;
  const auto refiner = refiner_of(request.refiner, request.few_shot.train.compute);
  const Stopwatch watch;
  evaluation::FewShotRun run;
  run.cells = evaluation::evaluate_few_shot(request.few_shot, *refiner, output);
  run.settings = read_json(output / "settings.json");
  run.seconds = watch.seconds();
  run.peak_memory = peak_memory_bytes();
  std::printf("\n%s", evaluation::few_shot_text(evaluation::few_shot_rows(run.cells)).c_str());
  std::printf("%.0f s, peak memory %.0f MiB\n", run.seconds, static_cast<double>(run.peak_memory) / (1 << 20));
  evaluation::write_few_shot_page(run, output, output / "report.html");
  write_json(output / "few_shot.json", evaluation::to_json(run));
  if (!request.json.empty()) write_json(request.json, evaluation::to_json(run));
  std::printf("report: %s\n", (output / "report.html").c_str());
}

}  // namespace

void add_few_shot_command(CLI::App& evaluate, std::function<void()>& run) {
  auto request = std::make_shared<FewShotRequest>();
  evaluation::FewShotOptions& options = request->few_shot;
  training::TrainJob& train = options.train;
  train.batch = 8;
  train.most_synthetic = 0.5;
  train.real_last = 0.3;
  train.trainer.steps = 400;
  train.trainer.learning_rate = 1e-3;
  train.trainer.warmup_steps = 40;
  train.trainer.ema_decay = 0.99;
  CLI::App* command = evaluate.add_subcommand(
      "few-shot", "Withhold a class but for a few examples, inpaint it, and test what a segmenter finds of it");
  command->add_option("dataset", request->dataset, "Dataset folder with dense masks, training and test places")
      ->required();
  command->add_option("--classes", options.classes, "Each of them in its turn is the novel class")
      ->delimiter(',')
      ->required();
  command->add_option("--model", request->models,
                      "CLASS=FOLDER, a generator that paints after references and does not know the class");
  command->add_option("-o,--output", request->output, "Folder of the run; one that was stopped goes on")->required();
  command->add_option("--json", request->json, "Also write the figures to this file");
  command->add_option("--examples", options.examples, "Training images that show the novel class")
      ->capture_default_str();
  command->add_option("--seeds", options.seeds, "Seeds of everything")->capture_default_str();
  command
      ->add_option(
          "--methods", options.methods,
          "Of real, copy-paste, inpaint, inpaint-unrefined, inpaint-unfiltered, inpaint-anywhere, inpaint-judged")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--architectures", options.architectures, "Of segformer-b0, unet-resnet18")
      ->delimiter(',')
      ->capture_default_str();
  add_inpaint_options(*command, options.inpaint);
  add_refiner_options(*command, request->refiner);
  command->add_option("--train-steps", train.trainer.steps, "Optimiser steps of every segmenter")
      ->capture_default_str();
  command->add_option("--train-batch", train.batch, "Samples a step")->capture_default_str();
  command->add_option("--crop", train.crop, "Pixels of training crops")->capture_default_str();
  command->add_option("--learning-rate", train.trainer.learning_rate, "Highest learning rate")->capture_default_str();
  command
      ->add_option("--balance", train.balance,
                   "The rest, the examples and the new images are drawn by their number to this power")
      ->capture_default_str();
  command->add_option("--most-synthetic", train.most_synthetic, "Most share of new images in what is drawn")
      ->capture_default_str();
  command->add_option("--real-last", train.real_last, "See `terragen train`")->capture_default_str();
  add_paint_options(*command, options.paint, "sampling-");
  add_compute_options(*command, train.compute);
  command->callback([request, &run] { run = [request] { few_shot(*request); }; });
}

}  // namespace terragen::app
