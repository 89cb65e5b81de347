// terragen augment: a dataset in, the same dataset with new labelled images out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_augment_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
