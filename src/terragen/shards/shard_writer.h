// Packs samples into a shard set.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

#include "terragen/layout/layout.h"
#include "terragen/shards/shard_set.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::shards {

// Writes into an existing folder. `finish` must be called; before it there is no shards.json.
class ShardWriter {
 public:
  ShardWriter(ShardSet set, std::filesystem::path folder);
  // image: [B, H, W] uint8, int16, int32 (for uint16) or float32, stored values; valid: [H, W] uint8 or undefined (all
  // valid). The layout's classes are numbered as in the set's taxonomy.
  void add(const std::string& split, const torch::Tensor& image, const torch::Tensor& valid,
           const layout::Layout& layout, const std::string& source);
  // Writes what is left and shards.json; returns bytes written in all.
  std::int64_t finish();

 private:
  struct Open {
    tensor::TensorMap tensors;
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    int number = 0;
  };
  void flush(const std::string& split);

  ShardSet set_;
  std::filesystem::path folder_;
  std::map<std::string, Open> open_;
  std::int64_t written_ = 0;
};

}  // namespace terragen::shards
