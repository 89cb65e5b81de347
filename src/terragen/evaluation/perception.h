// How well a segmenter or detector does on held-out places.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/metrics/coco_evaluation.h"
#include "terragen/metrics/confusion.h"
#include "terragen/models/perception_model.h"
#include "terragen/shards/shard_reader.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {

struct PerceptionReport {
  std::string split;
  std::string architecture;
  std::string model_hash;
  std::size_t images = 0;
  std::vector<std::string> classes;  // the model's
  // Segmenters.
  metrics::ClassScores iou;  // by class; NaN where it appears nowhere. The background, where there is one, comes last.
  double mean_iou = 0;       // over the taxonomy's classes, the background left out
  double pixel_accuracy = 0;
  // Detectors.
  metrics::CocoSummary coco;
  double seconds = 0;  // of the network and what follows it
  bool segmenter = true;
};

// Whole images, padded at the right and bottom by mirroring to multiples of 32 and cut again. Classes are joined by
// name: RequestError where the data have one that the model lacks.
PerceptionReport evaluate_perception(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                     const std::string& split, const tensor::ComputeOptions& compute);
Json to_json(const PerceptionReport& report);

}  // namespace terragen::evaluation
