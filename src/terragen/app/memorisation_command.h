// `terragen evaluate memorisation`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_memorisation_command(CLI::App& evaluate, std::function<void()>& run);

}  // namespace terragen::app
