#include "terragen/data/packed_samples.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/data/packing.h"

namespace terragen::data {

namespace fs = std::filesystem;

PackedSamples::PackedSamples(const std::vector<fs::path>& data, const std::string& split) {
  if (data.empty()) throw RequestError("no data are named");
  if (data.size() == 1 && fs::exists(data.front() / "shards.json")) {
    shards_ = data.front();
  } else {
    shards_ = scratch_.emplace().path() / "shards";
    pack_datasets(data, shards_, {});
  }
  open(split);
}

PackedSamples::PackedSamples(const std::vector<Dataset>& datasets, const std::string& split) {
  shards_ = scratch_.emplace().path() / "shards";
  pack_datasets(datasets, shards_, {});
  open(split);
}

void PackedSamples::open(const std::string& split) {
  reader_ = std::make_unique<shards::ShardReader>(shards_, split);
  if (reader_->size() == 0) throw RequestError(std::format("the data have no images in the split {}", split));
}

std::string dataset_of(const std::string& source) { return source.substr(0, source.find('/')); }

}  // namespace terragen::data
