// `terragen evaluate few-shot`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_few_shot_command(CLI::App& evaluate, std::function<void()>& run);

}  // namespace terragen::app
