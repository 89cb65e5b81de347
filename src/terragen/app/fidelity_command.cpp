#include "terragen/app/fidelity_command.h"

#include <memory>
#include <string>
#include <vector>

#include "terragen/app/paint_options.h"
#include "terragen/app/report_output.h"
#include "terragen/evaluation/fidelity_report.h"

namespace terragen::app {
namespace {

struct FidelityCommandOptions {
  std::vector<std::string> data;
  std::string model;
  std::string judge;
  ReportOutput output;
  evaluation::FidelityOptions fidelity;
};

void fidelity(FidelityCommandOptions options) {
  options.fidelity.datasets.assign(options.data.begin(), options.data.end());
  options.fidelity.model = options.model;
  options.fidelity.judge = options.judge;
  const evaluation::FidelityReport report = evaluation::evaluate_fidelity(options.fidelity);
  tell_report(report, evaluation::fidelity_text(report), evaluation::write_fidelity_page, options.output);
}

}  // namespace

void add_fidelity_command(CLI::App& evaluate, std::function<void()>& run) {
  auto options = std::make_shared<FidelityCommandOptions>();
  evaluation::FidelityOptions& about = options->fidelity;
  CLI::App* command =
      evaluate.add_subcommand("fidelity", "What a judge finds of the layouts in painted images, against real ones");
  command->add_option("data", options->data, "Dataset folders")->required();
  command->add_option("--model", options->model, "Model folder that paints")->required();
  command->add_option("--judge", options->judge, "Trained segmenter or detector")->required();
  command->add_option("--split", about.split, "train, val or test")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "val", "test"}));
  command->add_option("--size", about.size, "Pixels of the middle of every image that is painted anew")
      ->capture_default_str();
  command->add_option("--limit", about.limit, "Most images of a dataset and split; 0: all")->capture_default_str();
  command->add_option("--seed", about.seed, "Seed of painting and training")->capture_default_str();
  command
      ->add_option("--cas-steps", about.cas_steps,
                   "Steps of the classifiers of the classification accuracy score; 0: left out")
      ->capture_default_str();
  add_report_options(*command, options->output);
  add_paint_options(*command, about.paint);
  add_compute_options(*command, about.paint.compute);
  command->callback([options, &run] { run = [options] { fidelity(*options); }; });
}

}  // namespace terragen::app
