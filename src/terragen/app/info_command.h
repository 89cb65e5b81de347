// terragen info: what a dataset, a set of shards or a model holds.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>

namespace terragen::app {

// Prints to stdout. DataError when the folder is none of them.
void print_info(const std::filesystem::path& path, bool json);
void add_info_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
