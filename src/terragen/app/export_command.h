// terragen export: a dataset out in a format that other tools read.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_export_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
