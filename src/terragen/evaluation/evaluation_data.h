// The images a model is measured on: datasets, packed for the while, or shards as they are.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "terragen/shards/shard_reader.h"

namespace terragen::evaluation {

class EvaluationData {
 public:
  // RequestError when the split holds no image.
  EvaluationData(const std::vector<std::filesystem::path>& data, const std::string& split);
  ~EvaluationData();
  EvaluationData(const EvaluationData&) = delete;
  EvaluationData& operator=(const EvaluationData&) = delete;

  const shards::ShardReader& reader() const { return *reader_; }

 private:
  std::filesystem::path scratch_;  // vanishes with the object; empty: none
  std::unique_ptr<shards::ShardReader> reader_;
};

// The dataset that a sample's source names.
std::string dataset_of(const std::string& source);

}  // namespace terragen::evaluation
