// How well a segmenter or detector does on held-out places.
#pragma once

#include <string>

#include "terragen/evaluation/perception_meter.h"
#include "terragen/models/perception_model.h"
#include "terragen/shards/shard_reader.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {

// Whole images, padded at the right and bottom by mirroring to multiples of 32 and cut again. Classes are joined by
// name: RequestError where the data have one that the model lacks, and for a classifier (see classification.h).
PerceptionReport evaluate_perception(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                     const std::string& split, const tensor::ComputeOptions& compute);

}  // namespace terragen::evaluation
