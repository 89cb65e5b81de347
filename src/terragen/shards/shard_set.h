// A folder of packed samples: shards.json and safetensors files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/json_file.h"
#include "terragen/layout/taxonomy.h"

namespace terragen::shards {

// One band: stored values low..high are -1..1 to the model.
struct ShardBand {
  std::string name;
  double low = 0;
  double high = 255;
  bool operator==(const ShardBand&) const = default;
};

// Where samples came from: carried into the model's card.
struct ShardSource {
  std::string dataset;
  std::string task;
  std::string licence;
  std::string attribution;
  std::int64_t samples = 0;         // of the training split
  std::vector<std::string> places;  // of the training split
  bool operator==(const ShardSource&) const = default;
};

// shards.json. Sample i of a file has the tensors "i/image" [B, H, W] in the stored type, "i/layout" (the layout's JSON
// as bytes), and where needed "i/valid" [H, W] uint8 and "i/mask" [H, W] uint8.
struct ShardSet {
  struct File {
    std::string name;
    std::string split;  // "train", "val", "test"
    std::int64_t count = 0;
  };
  std::string data_type = "uint8";  // "uint8", "uint16", "int16", "float32"
  std::vector<ShardBand> bands;
  layout::Taxonomy taxonomy;
  std::vector<std::string> tasks;
  std::vector<std::string> dense_tasks;
  std::vector<ShardSource> sources;
  std::vector<std::string> dataset_sha256;  // of each dataset packed; empty: not known
  std::vector<File> files;
};

// A sample's source: "DATASET/IMAGE", of synthetic images "DATASET (synthetic)/IMAGE".
std::string source_name(const std::string& dataset, const std::string& image, bool synthetic);
bool is_synthetic(const std::string& source);

ShardSet read_shard_set(const std::filesystem::path& folder);
void write_shard_set(const ShardSet& set, const std::filesystem::path& folder);

}  // namespace terragen::shards
