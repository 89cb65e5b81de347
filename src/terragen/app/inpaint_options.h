// The options that say how things are painted into real scenes.
#pragma once

#include <CLI/CLI.hpp>

#include "terragen/synthesis/inpaint.h"

namespace terragen::app {

// --scenes, --per-scene, --things, --variants, --decoys, --strength, --match-colours, --window, --paintings,
// --least-overlap, --reject-share
void add_inpaint_options(CLI::App& command, synthesis::InpaintOptions& options);

}  // namespace terragen::app
