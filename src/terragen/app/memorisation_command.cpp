#include "terragen/app/memorisation_command.h"

#include <memory>
#include <string>
#include <vector>

#include "terragen/app/report_output.h"
#include "terragen/core/png.h"
#include "terragen/evaluation/memorisation_report.h"

namespace terragen::app {
namespace {

struct MemorisationCommandOptions {
  std::string made;
  std::vector<std::string> real;
  ReportOutput output;
  std::string picture;
  evaluation::MemorisationOptions memorisation;
};

void memorisation(MemorisationCommandOptions options) {
  options.memorisation.made = options.made;
  options.memorisation.real.assign(options.real.begin(), options.real.end());
  const evaluation::MemorisationReport report = evaluation::evaluate_memorisation(options.memorisation);
  tell_report(report, evaluation::memorisation_text(report), evaluation::write_memorisation_page, options.output);
  if (!options.picture.empty()) write_png(options.picture, report.painted.picture);
}

}  // namespace

void add_memorisation_command(CLI::App& evaluate, std::function<void()>& run) {
  auto options = std::make_shared<MemorisationCommandOptions>();
  evaluation::MemorisationOptions& about = options->memorisation;
  CLI::App* command = evaluate.add_subcommand(
      "memorisation", "The most alike training image of each painted one, and how many are copies");
  command->add_option("made", options->made, "Dataset folder with painted images")->required();
  command->add_option("real", options->real, "Dataset folders that the model learned from")->required();
  command->add_option("--made-split", about.made_split, "Of the painted images: train, val or test")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "val", "test"}));
  command->add_option("--crop", about.crop, "Pixels a side of the windows that are looked for")->capture_default_str();
  command->add_option("--limit", about.limit, "Most painted images; 0: all")->capture_default_str();
  command->add_option("--threads", about.threads, "Threads; 0: the processor's cores")->capture_default_str();
  add_report_options(*command, options->output);
  command->add_option("--picture", options->picture, "Also write a PNG of the images, each above its nearest");
  command->callback([options, &run] { run = [options] { memorisation(*options); }; });
}

}  // namespace terragen::app
