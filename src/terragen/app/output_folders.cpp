#include "terragen/app/output_folders.h"

#include <string>

namespace terragen::app {

void take_slashes_off_outputs(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->check_lname("output")) continue;
    option->transform(
        [](std::string folder) {
          while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
          return folder;
        },
        "");
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) take_slashes_off_outputs(*command);
}

}  // namespace terragen::app
