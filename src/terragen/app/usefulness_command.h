// terragen evaluate usefulness: what new images are worth to models tested on held-out places.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_usefulness_command(CLI::App& evaluate, std::function<void()>& run);

}  // namespace terragen::app
