// Checkpoints of a training run: weights, average, optimiser, step, random state, loader position; complete or absent.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "terragen/core/json_file.h"
#include "terragen/training/ema.h"

namespace terragen::training {

// A run's folder holds checkpoint-00000123/ {model,ema,optimiser}.safetensors and state.json. A folder appears by
// rename when it is complete, so that a kill at any moment leaves the newest complete one.
struct CheckpointState {
  std::int64_t step = 0;   // optimiser steps done; also the loader's position
  std::uint64_t seed = 0;  // every draw of step k comes from (seed, k)
  Json settings;           // of trainer and task; must agree on resume
};

// Writes a checkpoint and removes all but the newest `keep`. DataError when the disk is full: older ones stay.
void save_checkpoint(const std::filesystem::path& run, const CheckpointState& state, torch::nn::Module& module,
                     const Ema& ema, torch::optim::AdamW& optimiser, int keep = 2);
// What a run that was killed while it wrote a checkpoint left of it. Not beside a run that writes to the folder.
void remove_unfinished_checkpoints(const std::filesystem::path& run);
// The newest checkpoint that is whole, or nothing where the run has none.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& run);
// Restores everything. RequestError when `expected_settings` differ from the stored ones (names the key), DataError
// when the files are damaged or do not fit the module.
CheckpointState load_checkpoint(const std::filesystem::path& checkpoint, const Json& expected_settings,
                                torch::nn::Module& module, Ema& ema, torch::optim::AdamW& optimiser);

}  // namespace terragen::training
