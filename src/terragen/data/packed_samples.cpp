#include "terragen/data/packed_samples.h"

#include <cstdlib>
#include <format>

#include "terragen/core/error.h"
#include "terragen/data/packing.h"

namespace terragen::data {
namespace {

namespace fs = std::filesystem;

fs::path temporary_folder() {
  std::string name = (fs::temp_directory_path() / "terragen-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw RequestError("no temporary folder can be made", "set TMPDIR");
  return name;
}

}  // namespace

PackedSamples::PackedSamples(const std::vector<fs::path>& data, const std::string& split) {
  if (data.empty()) throw RequestError("no data are named");
  if (data.size() == 1 && fs::exists(data.front() / "shards.json")) {
    shards_ = data.front();
    open([] {}, split);
  } else {
    scratch_ = temporary_folder();
    shards_ = scratch_ / "shards";
    open([&] { pack_datasets(data, shards_, {}); }, split);
  }
}

PackedSamples::PackedSamples(const std::vector<Dataset>& datasets, const std::string& split)
    : scratch_(temporary_folder()), shards_(scratch_ / "shards") {
  open([&] { pack_datasets(datasets, shards_, {}); }, split);
}

void PackedSamples::open(const std::function<void()>& pack, const std::string& split) {
  try {
    pack();
    reader_ = std::make_unique<shards::ShardReader>(shards_, split);
    if (reader_->size() == 0) throw RequestError(std::format("the data have no images in the split {}", split));
  } catch (...) {
    // No destructor runs for an object that was not made.
    std::error_code ignored;
    if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
    throw;
  }
}

PackedSamples::~PackedSamples() {
  std::error_code ignored;
  if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

std::string dataset_of(const std::string& source) { return source.substr(0, source.find('/')); }

}  // namespace terragen::data
