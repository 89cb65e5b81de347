#include "terragen/app/import_command.h"

#include <cstdio>
#include <filesystem>
#include <format>
#include <memory>

#include "terragen/app/info_command.h"
#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/data/folder_guess.h"
#include "terragen/data/importer.h"

namespace terragen::app {
namespace {

struct ImportOptions {
  std::string recipe;
  std::string output;
  std::string root;
  std::string labels_root;
};

// The recipe of a folder that came without one, kept beside the dataset for the user to correct.
data::Recipe guessed_recipe(const ImportOptions& options) {
  const std::filesystem::path written = options.output + ".recipe.toml";
  const std::string toml = data::guess_recipe(options.recipe);
  // An import that failed leaves the guess for the user to correct; until then the same command is no other request.
  if (std::filesystem::exists(written) && read_file(written) != toml) {
    throw RequestError(std::format("{} exists already", written.string()),
                       std::format("import with it (`terragen import {} --root {} -o {}`), or remove it",
                                   written.string(), options.recipe, options.output));
  }
  data::Recipe recipe = data::parse_recipe(toml, written.string());
  write_file(written, toml);
  std::fprintf(stderr, "the folder's layout is that of %s; the recipe this came to is in %s\n",
               recipe.labels_format.c_str(), written.string().c_str());
  if (recipe.train.empty() && recipe.val.empty() && recipe.test.empty()) {
    std::fprintf(stderr, "nothing says which images are for testing: all are for training ([splits] in the recipe)\n");
  }
  return recipe;
}

void import(const ImportOptions& options) {
  namespace fs = std::filesystem;
  const bool guessed = fs::is_directory(options.recipe);
  const data::Recipe recipe = guessed ? guessed_recipe(options) : data::read_recipe(options.recipe);
  const fs::path here = guessed ? fs::path(options.recipe) : fs::absolute(options.recipe).parent_path();
  const fs::path root = options.root.empty() ? here : fs::path(options.root);
  const fs::path labels_root = options.labels_root.empty() ? root : fs::path(options.labels_root);
  data::import_dataset(recipe, {root, labels_root}, options.output);
  print_info(options.output, false);
}

}  // namespace

void add_import_command(CLI::App& app, std::function<void()>& run) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand("import", "Turn a folder of labelled imagery into a dataset");
  command->add_option("recipe", options->recipe, "Recipe (TOML), or a folder in a well-known layout")->required();
  command->add_option("-o,--output", options->output, "Folder of the dataset")->required();
  command->add_option("--root", options->root, "Folder that the recipe's paths start from; default: the recipe's own");
  command->add_option("--labels-root", options->labels_root,
                      "Folder that labels.path starts from, where labels lie apart from the images; default: the root");
  command->callback([options, &run] {
    while (options->output.size() > 1 && options->output.ends_with('/')) options->output.pop_back();
    run = [options] { import(*options); };
  });
}

}  // namespace terragen::app
