// What the commands of the protocols have in common: how models are trained, and what is told in the end.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <string>

#include "terragen/evaluation/protocol_run.h"
#include "terragen/training/train_job.h"

namespace terragen::app {

// Short trainings, in which new images come at most as often as real ones and real ones last.
training::TrainJob protocol_training();
// --train-steps, --train-batch, --crop, --learning-rate, --balance, --most-synthetic, --class-share, --real-last
void add_protocol_training_options(CLI::App& command, training::TrainJob& train);

// --earlier
void add_earlier_option(CLI::App& command, std::vector<std::filesystem::path>& earlier);

// Prints the table and what the run took, and writes its figures to `file` and, where that is not empty, to `json`.
void tell_protocol(const std::string& table, double seconds, std::int64_t peak_memory, const Json& figures,
                   const std::filesystem::path& file, const std::string& json);

// A run of these cells with the settings that lie in `output`.
template <class Cell>
evaluation::ProtocolRun<Cell> finished_run(std::vector<Cell> cells, const std::filesystem::path& output) {
  const double seconds = total_seconds(cells);
  std::int64_t peak_memory = 0;
  for (const Cell& cell : cells) peak_memory = std::max(peak_memory, cell.peak_memory);
  return {std::move(cells), read_json(output / "settings.json"), seconds, peak_memory};
}

}  // namespace terragen::app
