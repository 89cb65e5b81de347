// terragen predict: what a segmenter or detector sees in images of any size.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_predict_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
