#include "terragen/app/few_shot_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "terragen/app/inpaint_options.h"
#include "terragen/app/paint_options.h"
#include "terragen/app/protocol_options.h"
#include "terragen/app/refiner_options.h"
#include "terragen/core/error.h"
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
  const evaluation::FewShotRun run =
      finished_run(evaluation::evaluate_few_shot(request.few_shot, *refiner, output), output);
  evaluation::write_few_shot_page(run, output, output / "report.html");
  tell_protocol(evaluation::few_shot_text(evaluation::few_shot_rows(run.cells)), run.seconds, run.peak_memory,
                evaluation::to_json(run), output / "few_shot.json", request.json);
}

}  // namespace

void add_few_shot_command(CLI::App& evaluate, std::function<void()>& run) {
  auto request = std::make_shared<FewShotRequest>();
  evaluation::FewShotOptions& options = request->few_shot;
  training::TrainJob& train = options.train;
  train = protocol_training();
  // Else most crops show nothing of a class of which there are five examples.
  train.class_share = 0.5;
  train.balance = 0;
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
  add_earlier_option(*command, options.earlier);
  command->add_option("--examples", options.examples, "Examples of the novel class, each of another training image")
      ->capture_default_str();
  command
      ->add_option("--example-window", options.example_window,
                   "An example is one thing in a window of so many pixels, nothing else of its class labelled; 0: a "
                   "whole image, labelled throughout")
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
  add_protocol_training_options(*command, train);
  add_paint_options(*command, options.paint, "sampling-");
  add_compute_options(*command, train.compute);
  command->callback([request, &run] { run = [request] { few_shot(*request); }; });
}

}  // namespace terragen::app
