// Folders to write, as users type them.
#pragma once

#include <CLI/CLI.hpp>

namespace terragen::app {

// Every --output of a command and of its own commands takes NAME/ for NAME: what is written has a name, and more may
// come to lie beside it.
void take_slashes_off_outputs(CLI::App& app);

}  // namespace terragen::app
