#include "terragen/app/export_command.h"

#include <cstdio>
#include <memory>

#include "terragen/data/exporter.h"

namespace terragen::app {
namespace {

struct ExportCommandOptions {
  std::string dataset;
  std::string output;
  std::string split;
  data::ExportOptions format;
};

void export_to(ExportCommandOptions options) {
  const data::Dataset dataset = data::read_dataset(options.dataset);
  if (!options.split.empty()) options.format.split = data::split_from_name(options.split, "--split");
  const data::ExportSummary summary = data::export_dataset(dataset, options.format, options.output);
  std::printf("%s: %zu images, %zu objects as %s\n", options.output.c_str(), summary.images, summary.objects,
              options.format.format.c_str());
  if (summary.approximated > 0) std::printf("%zu shapes were approximated\n", summary.approximated);
  if (summary.left_out > 0) {
    std::printf(
        "%zu objects were left out: crowd regions, which the format does not know, or nothing inside the image\n",
        summary.left_out);
  }
}

}  // namespace

void add_export_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<ExportCommandOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a dataset in a format that other tools read");
  command->add_option("dataset", options->dataset, "Dataset folder")->required();
  command->add_option("--format", options->format.format, "coco, yolo, dota, voc, masks or geojson")->required();
  command->add_option("-o,--output", options->output, "Folder to write")->required();
  command->add_option("--shape", options->format.shape, "Of YOLO: boxes (default), oriented or polygons");
  command->add_option("--split", options->split, "train, val or test; default: all")
      ->check(CLI::IsMember({"train", "val", "test"}));
  command->add_flag("--lossy", options->format.lossy,
                    "Approximate shapes that the format cannot carry, leave out crowd regions");
  command->callback([options, &run] { run = [options] { export_to(*options); }; });
}

}  // namespace terragen::app
