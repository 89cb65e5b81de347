// Datasets to packed shards, so that training reads nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "terragen/data/dataset.h"
#include "terragen/shards/shard_set.h"

namespace terragen::data {

struct PackOptions {
  bool without_test = false;  // leave the test places out: what travels to a training machine
};

struct PackSummary {
  std::int64_t train = 0;
  std::int64_t val = 0;
  std::int64_t test = 0;
  std::size_t classes = 0;
  std::size_t tasks = 0;
  std::int64_t bytes = 0;
};

// Classes are joined by name; samples are named by shards::source_name. Datasets of one data type and band range keep
// their stored values; others are mapped to uint8 by each dataset's own band range. RequestError when the numbers of
// bands or their names differ. With painted images come the sources that their painters were trained on.
PackSummary pack_datasets(const std::vector<std::filesystem::path>& datasets, const std::filesystem::path& output,
                          const PackOptions& options);

// The same of datasets in memory, whose images lie in their folders; the shards do not tell the datasets' hashes.
PackSummary pack_datasets(const std::vector<Dataset>& datasets, const std::filesystem::path& output,
                          const PackOptions& options);

// RequestError where two datasets differ in number, names or order of their bands.
void require_same_bands(const Dataset& one, const Dataset& other);

// Bands, classes and tasks of a dataset as its shards would say them; no samples.
shards::ShardSet kind_of(const Dataset& dataset);

// RequestError where the shards in a folder were packed of others than these datasets, or of these as they were before.
void require_packed_of(const std::vector<std::filesystem::path>& datasets, const std::filesystem::path& shards);

}  // namespace terragen::data
