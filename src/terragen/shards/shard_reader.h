// Reads a shard set's samples of one split; everything stays in memory in its stored type.
#pragma once

#include <filesystem>
#include <vector>

#include "terragen/shards/sample.h"
#include "terragen/shards/shard_set.h"

namespace terragen::shards {

// Reading threads may share a reader: get() is const and keeps no state.
class ShardReader {
 public:
  // Opens and checks every file of `split`. DataError naming file and sample when anything does not fit.
  ShardReader(const std::filesystem::path& folder, const std::string& split);
  const ShardSet& set() const { return set_; }
  std::size_t size() const { return samples_.size(); }
  Sample get(std::size_t index) const;
  const layout::Layout& layout(std::size_t index) const { return samples_[index].layout; }
  const std::string& source(std::size_t index) const { return samples_[index].source; }

 private:
  struct Stored {
    torch::Tensor image;  // [B, H, W], stored type
    torch::Tensor valid;  // [H, W] uint8 or undefined
    layout::Layout layout;
    std::string source;
  };
  ShardSet set_;
  torch::Tensor low_, scale_;  // [B, 1, 1]
  std::vector<Stored> samples_;
};

}  // namespace terragen::shards
