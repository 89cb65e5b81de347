// How well a classifier tells on held-out places what windows show.
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/metrics/confusion.h"
#include "terragen/models/perception_model.h"
#include "terragen/shards/shard_reader.h"
#include "terragen/tensor/device.h"

namespace terragen::evaluation {

struct ClassificationReport {
  std::string split;
  std::string architecture;
  std::string model_hash;
  std::size_t images = 0;
  std::int64_t windows = 0;
  std::vector<std::string> classes;         // the model's; the background, where there is one, comes last
  std::vector<std::int64_t> class_windows;  // by class
  metrics::ClassScores class_accuracy;      // of a class's windows, the share called by its name; NaN of none
  double accuracy = 0;                      // of all windows
  double balanced_accuracy = 0;             // mean over the classes that appear
  double seconds = 0;
};

// The windows of shards/object_windows.h, the same ones in every call. Classes are joined by name. RequestError where
// the model is no classifier or for other bands, where the data have a class that it lacks, or where no window shows
// anything known.
ClassificationReport evaluate_classification(const models::PerceptionModel& model, const shards::ShardReader& reader,
                                             const std::string& split, const tensor::ComputeOptions& compute);
Json to_json(const ClassificationReport& report);

}  // namespace terragen::evaluation
