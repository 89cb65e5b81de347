// `terragen inpaint`: a class of which there are few examples, painted into many real scenes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_inpaint_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
