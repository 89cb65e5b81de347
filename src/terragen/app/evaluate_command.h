// terragen evaluate: what a model is worth, measured on held-out places.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_evaluate_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
