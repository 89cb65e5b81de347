// A segmenter or detector trained for an experiment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "terragen/data/dataset.h"
#include "terragen/training/train_job.h"

namespace terragen::evaluation {

struct TrainingCost {
  double seconds = 0;
  double flops = 0;  // multiplications and additions of all steps
};

// Trains on the training images of the datasets, together, into `run`/model; shards and checkpoints are removed again.
// job: all but kind of model ("segmenter", of detection "detector"), shards, run and seed. What lies in `run` goes.
TrainingCost train_perception(const std::vector<data::Dataset>& datasets, training::TrainJob job,
                              const std::filesystem::path& run, std::uint64_t seed);

// The settings of a job that all models of an experiment share: what bears on a segmenter or detector, but for what
// train_perception decides.
Json training_recipe(const training::TrainJob& job);

}  // namespace terragen::evaluation
