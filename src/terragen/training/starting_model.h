// What a generator's training starts from.
#pragma once

#include "terragen/models/model_folder.h"
#include "terragen/shards/shard_set.h"
#include "terragen/training/train_job.h"

namespace terragen::training {

// The parts of job.from, fitted to the data's classes and tasks, and new ones where it does not bring them: U-Net,
// layout encoder, reference encoder. A published model (see pretrained::is_published) brings its U-Net, autoencoder and
// text encoder. RequestError for settings that cannot be, or that do not fit the data.
models::ModelFolder starting_model(const TrainJob& job, const shards::ShardSet& set);

// Another dataset's classes and tasks take the place of those the model was trained with.
void fit_classes(models::ModelFolder& model, const shards::ShardSet& set, bool references = false);
// The most of 32, 16, ... groups that divide all channels. RequestError where there are none.
std::int64_t norm_groups(const std::vector<std::int64_t>& channels);
// RequestError where the model is for another number of bands than the data have.
void check_bands_fit(const models::ModelFolder& model, const shards::ShardSet& set, const TrainJob& job);

}  // namespace terragen::training
