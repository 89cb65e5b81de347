#include "terragen/app/quality_command.h"

#include <memory>
#include <string>
#include <vector>

#include "terragen/app/report_output.h"
#include "terragen/evaluation/quality_report.h"

namespace terragen::app {
namespace {

struct QualityCommandOptions {
  std::string made;
  std::vector<std::string> real;
  std::string features;
  ReportOutput output;
  evaluation::QualityOptions quality;
};

void quality(QualityCommandOptions options) {
  options.quality.made = options.made;
  options.quality.real.assign(options.real.begin(), options.real.end());
  options.quality.features = options.features;
  const evaluation::QualityReport report = evaluation::evaluate_quality(options.quality);
  tell_report(report, evaluation::quality_text(report), evaluation::write_quality_page, options.output);
}

}  // namespace

void add_quality_command(CLI::App& evaluate, std::function<void()>& run) {
  auto options = std::make_shared<QualityCommandOptions>();
  evaluation::QualityOptions& about = options->quality;
  CLI::App* command =
      evaluate.add_subcommand("quality", "Distances between painted and real images in a network's features");
  command->add_option("made", options->made, "Dataset folder with painted images")->required();
  command->add_option("real", options->real, "Dataset folders with the real images they are compared with")->required();
  command
      ->add_option("--features", options->features,
                   "Folder of a classifier, or a .safetensors file with the weights of FID's Inception")
      ->required();
  const CLI::IsMember splits({"train", "val", "test"});
  command->add_option("--split", about.split, "Of the real images: train, val or test")
      ->capture_default_str()
      ->check(splits);
  command->add_option("--made-split", about.made_split, "Of the painted images: train, val or test")
      ->capture_default_str()
      ->check(splits);
  command->add_option("--crop", about.crop, "Pixels of the middle of every image that is compared")
      ->capture_default_str();
  command->add_option("--seed", about.seed, "Seed of subsets and halves")->capture_default_str();
  command->add_option("--device", about.device, "cpu or cuda")->capture_default_str();
  command->add_option("--threads", about.threads, "Threads; 0: the processor's cores")->capture_default_str();
  add_report_options(*command, options->output);
  command->callback([options, &run] { run = [options] { quality(*options); }; });
}

}  // namespace terragen::app
