// terragen evaluate quality: how alike painted and real images are in a network's features.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_quality_command(CLI::App& evaluate, std::function<void()>& run);

}  // namespace terragen::app
