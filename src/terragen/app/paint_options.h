// How images are painted, as options of a subcommand: the same names wherever something is painted.
#pragma once

#include <CLI/CLI.hpp>

#include "terragen/synthesis/painter.h"

namespace terragen::app {

// `prefix` stands before the names that would mean something else beside a training: "" or "sampling-".
void add_paint_options(CLI::App& command, synthesis::PaintOptions& options, const std::string& prefix = {});
void add_compute_options(CLI::App& command, tensor::ComputeOptions& options);

}  // namespace terragen::app
