// terragen import: a recipe and the folder it speaks of in, a dataset out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_import_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
