// How new images are begun, as options of a subcommand: the same names wherever datasets are enlarged.
#pragma once

#include <CLI/CLI.hpp>

#include "terragen/synthesis/variation.h"

namespace terragen::app {

void add_variation_options(CLI::App& command, synthesis::VariationOptions& options);

}  // namespace terragen::app
