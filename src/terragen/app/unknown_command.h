// What to say of a command line that names no command of the program, or none of a command's own.
#pragma once

#include <CLI/CLI.hpp>

namespace terragen::app {

// After a command line was refused. RequestError that names the word which is no command; returns where that was not
// the reason.
void check_command_names(const CLI::App& app);

}  // namespace terragen::app
