#include "terragen/app/import_command.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "terragen/app/info_command.h"
#include "terragen/data/importer.h"

namespace terragen::app {
namespace {

struct ImportOptions {
  std::string recipe;
  std::string output;
  std::string root;
};

void import(const ImportOptions& options) {
  const data::Recipe recipe = data::read_recipe(options.recipe);
  const std::filesystem::path root = options.root.empty() ? std::filesystem::absolute(options.recipe).parent_path()
                                                          : std::filesystem::path(options.root);
  data::import_dataset(recipe, root, options.output);
  print_info(options.output, false);
}

}  // namespace

void add_import_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand("import", "Turn a folder of labelled imagery into a dataset");
  command->add_option("recipe", options->recipe, "Recipe (TOML)")->required();
  command->add_option("-o,--output", options->output, "Folder of the dataset")->required();
  command->add_option("--root", options->root, "Folder that the recipe's paths start from; default: the recipe's own");
  command->callback([options, &run] { run = [options] { import(*options); }; });
}

}  // namespace terragen::app
