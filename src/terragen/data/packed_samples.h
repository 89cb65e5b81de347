// The samples of one split as networks read them: datasets, packed for the while, or shards as they are.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "terragen/core/scratch_folder.h"
#include "terragen/data/dataset.h"
#include "terragen/shards/shard_reader.h"

namespace terragen::data {

class PackedSamples {
 public:
  // Folders of datasets, or one of shards. RequestError when the split holds no image.
  PackedSamples(const std::vector<std::filesystem::path>& data, const std::string& split);
  PackedSamples(const std::vector<Dataset>& datasets, const std::string& split);

  const shards::ShardReader& reader() const { return *reader_; }
  // The folder of the shards; gone with the object where they were packed for it.
  const std::filesystem::path& shards() const { return shards_; }

 private:
  void open(const std::string& split);

  std::optional<ScratchFolder> scratch_;  // where packed for the while
  std::filesystem::path shards_;
  std::unique_ptr<shards::ShardReader> reader_;
};

// The dataset that a sample's source names.
std::string dataset_of(const std::string& source);

}  // namespace terragen::data
