#include "terragen/app/pack_command.h"

#include <cstdio>
#include <memory>

#include "terragen/data/packing.h"

namespace terragen::app {
namespace {

struct PackOptions {
  std::vector<std::string> datasets;
  std::string output;
  data::PackOptions pack;
};

void pack(const PackOptions& options) {
  const std::vector<std::filesystem::path> folders(options.datasets.begin(), options.datasets.end());
  const data::PackSummary summary = data::pack_datasets(folders, options.output, options.pack);
  std::printf("%s: %lld train, %lld val, %lld test samples, %zu classes, %zu tasks, %.1f MiB\n", options.output.c_str(),
              static_cast<long long>(summary.train), static_cast<long long>(summary.val),
              static_cast<long long>(summary.test), summary.classes, summary.tasks,
              static_cast<double>(summary.bytes) / (1 << 20));
}

}  // namespace

void add_pack_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<PackOptions>();
  CLI::App* command = app.add_subcommand("pack", "Pack datasets into shards for training anywhere");
  command->add_option("datasets", options->datasets, "Dataset folders; their classes are joined by name")->required();
  command->add_option("-o,--output", options->output, "Folder of the shards")->required();
  command->add_flag("--without-test", options->pack.without_test, "Leave the test places out");
  command->callback([options, &run] { run = [options] { pack(*options); }; });
}

}  // namespace terragen::app
