// terragen generate: layouts in, new labelled, georeferenced images out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_generate_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
