// A training of seconds. For tests only.
#pragma once

#include <filesystem>
#include <string>

#include "terragen/training/train_job.h"

namespace terragen::training {

// An autoencoder of a few thousand weights on the shards in `scratch`; its networks suit a generator, too.
inline TrainJob small_job(const std::filesystem::path& scratch, const std::string& run) {
  TrainJob job;
  job.model = "autoencoder";
  job.shards = scratch / "shards";
  job.run = scratch / run;
  job.batch = 2;
  job.crop = 32;
  job.loader_threads = 0;
  job.autoencoder_channels = {8, 16};
  job.latent_channels = 2;
  job.unet_channels = {16, 32};
  job.layout_channels = {16, 16};
  job.trainer.steps = 20;
  job.trainer.warmup_steps = 2;
  job.trainer.preview_every = 0;
  job.trainer.log_every = 5;
  job.compute.precision = "fp32";
  job.compute.threads = 1;
  return job;
}

}  // namespace terragen::training
