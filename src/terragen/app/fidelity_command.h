// terragen evaluate fidelity: how well painted images show what their layouts say.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_fidelity_command(CLI::App& evaluate, std::function<void()>& run);

}  // namespace terragen::app
