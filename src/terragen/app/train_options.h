// The settings of a training as options of `terragen train`, under the headings that its help shows.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "terragen/training/train_job.h"

namespace terragen::app {

// reference_weights: what job.reference_weights is to be, as text.
void add_train_options(CLI::App& command, training::TrainJob& job, std::string& reference_weights);

// RequestError for an option that was given and that the kind of model, `job.model`, does not have: a generator is not
// blurred, a segmenter has no U-Net channels.
void check_train_options(const CLI::App& command, const training::TrainJob& job);

}  // namespace terragen::app
