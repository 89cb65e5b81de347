#include "terragen/evaluation/evaluation_data.h"

#include <cstdlib>
#include <format>

#include "terragen/core/error.h"
#include "terragen/data/packing.h"

namespace terragen::evaluation {

namespace fs = std::filesystem;

EvaluationData::EvaluationData(const std::vector<fs::path>& data, const std::string& split) {
  if (data.empty()) throw RequestError("no data are named to measure on");
  fs::path shards = data.front();
  if (data.size() > 1 || !fs::exists(shards / "shards.json")) {
    std::string name = (fs::temp_directory_path() / "terragen-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw RequestError("no temporary folder can be made", "set TMPDIR");
    scratch_ = name;
    shards = scratch_ / "shards";
  }
  try {
    if (!scratch_.empty()) data::pack_datasets(data, shards, {});
    reader_ = std::make_unique<shards::ShardReader>(shards, split);
    if (reader_->size() == 0) throw RequestError(std::format("the data have no images in the split {}", split));
  } catch (...) {
    // No destructor runs for an object that was not made.
    std::error_code ignored;
    if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
    throw;
  }
}

EvaluationData::~EvaluationData() {
  std::error_code ignored;
  if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

std::string dataset_of(const std::string& source) { return source.substr(0, source.find('/')); }

}  // namespace terragen::evaluation
