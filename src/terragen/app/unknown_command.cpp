#include "terragen/app/unknown_command.h"

#include <algorithm>
#include <format>
#include <string>
#include <vector>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"

namespace terragen::app {

void check_command_names(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const std::vector<const CLI::App*> commands =
      at->get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
  if (commands.empty()) return;
  const std::vector<std::string> words = app.remaining(true);
  const auto word = std::ranges::find_if(words, [](const std::string& w) { return !w.starts_with('-'); });
  if (word == words.end()) return;
  const std::string parent = at == &app ? "terragen" : "terragen " + at->get_name();
  throw RequestError(std::format("`{}` has no command \"{}\"", parent, *word),
                     "choose one of: " + comma_list(commands, &CLI::App::get_name));
}

}  // namespace terragen::app
