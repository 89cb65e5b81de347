// terragen train: datasets or packed shards in, a trained model out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace terragen::app {

// Registers `train generator|autoencoder|...`; `run` is set when it was chosen.
void add_train_command(CLI::App& app, std::function<void()>& run);

}  // namespace terragen::app
