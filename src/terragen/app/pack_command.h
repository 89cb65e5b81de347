// terragen pack: datasets to shards that train anywhere, a machine without GDAL included.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

void add_pack_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
