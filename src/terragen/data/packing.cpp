#include "terragen/data/packing.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <iterator>
#include <map>
#include <set>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/progress.h"
#include "terragen/data/dataset.h"
#include "terragen/data/dataset_hash.h"
#include "terragen/data/painters_card.h"
#include "terragen/geo/raster_io.h"
#include "terragen/shards/shard_writer.h"

namespace terragen::data {
namespace {

bool same_values(const Dataset& a, const Dataset& b) {
  if (a.data_type != b.data_type || a.bands.size() != b.bands.size()) return false;
  for (std::size_t i = 0; i < a.bands.size(); ++i) {
    if (a.bands[i].low != b.bands[i].low || a.bands[i].high != b.bands[i].high) return false;
  }
  return true;
}

torch::ScalarType stored_type(geo::DataType type) {
  switch (type) {
    case geo::DataType::uint8:
      return torch::kUInt8;
    case geo::DataType::uint16:
      return torch::kInt32;  // LibTorch's uint16 has few operators
    case geo::DataType::int16:
      return torch::kInt16;
    case geo::DataType::float32:
      return torch::kFloat32;
  }
  throw InternalError("[pack_datasets] unknown type");
}

torch::Tensor tensor_of(const geo::Raster& raster) {
  if (raster.type == geo::DataType::uint16) {
    torch::Tensor wide = torch::empty({raster.bands, raster.height, raster.width}, torch::kInt32);
    auto* target = wide.data_ptr<std::int32_t>();
    for (std::size_t i = 0; i < raster.samples.size() / 2; ++i) {
      std::uint16_t value = 0;
      std::memcpy(&value, raster.samples.data() + 2 * i, 2);
      target[i] = value;
    }
    return wide;
  }
  torch::Tensor tensor = torch::empty({raster.bands, raster.height, raster.width}, stored_type(raster.type));
  std::memcpy(tensor.data_ptr(), raster.samples.data(), raster.samples.size());
  return tensor;
}

torch::Tensor valid_of(const geo::Raster& raster) {
  if (raster.valid.empty()) return {};
  torch::Tensor valid = torch::empty({raster.height, raster.width}, torch::kUInt8);
  std::memcpy(valid.data_ptr(), raster.valid.data(), raster.valid.size());
  return valid;
}

// Stored values to 0..255 by the dataset's own range: what the model sees stays the same.
torch::Tensor to_bytes(const torch::Tensor& image, const Dataset& dataset) {
  torch::Tensor result = image.to(torch::kFloat32);
  for (std::size_t b = 0; b < dataset.bands.size(); ++b) {
    const BandInfo& band = dataset.bands[b];
    torch::Tensor plane = result[static_cast<std::int64_t>(b)];
    plane.sub_(band.low).mul_(255.0 / (band.high - band.low));
  }
  return result.nan_to_num(0).round().clamp(0, 255).to(torch::kUInt8);
}

shards::ShardSource source_of(const Dataset& dataset) {
  shards::ShardSource source{dataset.name, dataset.task, dataset.licence, dataset.attribution, 0, {}};
  std::set<std::string> places;
  for (const ImageRecord& image : dataset.images) {
    if (image.split != Split::train) continue;
    ++source.samples;
    places.insert(image.place);
  }
  source.places.assign(places.begin(), places.end());
  return source;
}

// The dataset, and what the models that painted its training images were trained on: that is in the images, too.
std::vector<shards::ShardSource> sources_of(const Dataset& dataset) {
  std::vector<shards::ShardSource> sources{source_of(dataset)};
  const bool painted = std::ranges::any_of(
      dataset.images, [](const ImageRecord& image) { return image.synthetic && image.split == Split::train; });
  if (!painted) return sources;
  const std::string place = dataset.name + ": provenance";
  for (const Json& learned : sources_of_painted(dataset.provenance)) {
    shards::ShardSource source{json_member_or<std::string>(learned, "dataset", "", place),
                               json_member_or<std::string>(learned, "task", "", place),
                               json_member_or<std::string>(learned, "licence", "", place),
                               json_member_or<std::string>(learned, "attribution", "", place),
                               json_member_or<std::int64_t>(learned, "samples", 0, place),
                               json_member_or<std::vector<std::string>>(learned, "places", {}, place)};
    if (std::ranges::find(sources, source) == sources.end()) sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<std::string> hashes_of(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::string> hashes;
  for (const std::filesystem::path& folder : folders) hashes.push_back(dataset_hash(read_dataset(folder)));
  return hashes;
}

PackSummary pack(const std::vector<Dataset>& datasets, std::vector<std::string> hashes,
                 const std::filesystem::path& output, const PackOptions& options) {
  if (datasets.empty()) throw RequestError("no datasets to pack");
  const Dataset& first = datasets.front();
  bool same = true;
  std::vector<layout::ClassInfo> classes;
  shards::ShardSet set;
  for (const Dataset& dataset : datasets) {
    require_same_bands(dataset, first);
    same = same && same_values(dataset, first);
    for (const layout::ClassInfo& info : dataset.taxonomy.classes()) {
      if (std::ranges::find(classes, info.name, &layout::ClassInfo::name) == classes.end()) classes.push_back(info);
    }
    if (std::ranges::find(set.tasks, dataset.task) == set.tasks.end()) set.tasks.push_back(dataset.task);
    if (dataset.dense && std::ranges::find(set.dense_tasks, dataset.task) == set.dense_tasks.end()) {
      set.dense_tasks.push_back(dataset.task);
    }
    std::ranges::move(sources_of(dataset), std::back_inserter(set.sources));
  }
  set.dataset_sha256 = std::move(hashes);
  set.taxonomy = layout::Taxonomy(classes);
  set.data_type = same ? first.data_type : "uint8";
  for (const BandInfo& band : first.bands) {
    set.bands.push_back(same ? shards::ShardBand{band.name, band.low, band.high}
                             : shards::ShardBand{band.name, 0, 255});
  }
  std::int64_t total = 0;
  for (const Dataset& dataset : datasets) {
    total += std::ranges::count_if(dataset.images, [&](const ImageRecord& image) {
      return !(options.without_test && image.split == Split::test);
    });
  }

  AtomicFolder folder(output);
  shards::ShardWriter writer(set, folder.path());
  PackSummary summary{.classes = classes.size(), .tasks = set.tasks.size()};
  Progress progress("packing", total);
  for (const Dataset& dataset : datasets) {
    std::vector<int> index;
    for (const layout::ClassInfo& info : dataset.taxonomy.classes()) index.push_back(set.taxonomy.find(info.name));
    for (const ImageRecord& image : dataset.images) {
      if (options.without_test && image.split == Split::test) continue;
      if (interrupt_requested()) throw Interrupted("stopped while packing");
      layout::Layout layout = layout_of(dataset, image);
      for (layout::Feature& feature : layout.features) {
        feature.class_index = index[static_cast<std::size_t>(feature.class_index)];
      }
      if (layout.mask) {
        for (std::uint8_t& value : layout.mask->values) {
          if (value != layout::kUnlabelled) value = static_cast<std::uint8_t>(index[value]);
        }
      }
      const geo::Raster raster = geo::read_raster(dataset.folder / "images" / image.file_name);
      if (raster.width != image.width || raster.height != image.height ||
          static_cast<std::size_t>(raster.bands) != dataset.bands.size()) {
        throw DataError((dataset.folder / "images" / image.file_name).string(),
                        "is not the image that dataset.json describes");
      }
      const torch::Tensor stored = tensor_of(raster);
      writer.add(split_name(image.split), same ? stored : to_bytes(stored, dataset), valid_of(raster), layout,
                 shards::source_name(dataset.name, image.file_name, image.synthetic));
      (image.split == Split::train ? summary.train : image.split == Split::val ? summary.val : summary.test) += 1;
      progress.advance();
    }
  }
  summary.bytes = writer.finish();
  folder.commit();
  return summary;
}

}  // namespace

void require_same_bands(const Dataset& one, const Dataset& other) {
  if (one.bands.size() != other.bands.size()) {
    throw RequestError(std::format("{} has {} bands, {} has {}: they cannot be used together", one.name,
                                   one.bands.size(), other.name, other.bands.size()));
  }
  for (std::size_t b = 0; b < other.bands.size(); ++b) {
    if (one.bands[b].name == other.bands[b].name) continue;
    throw RequestError(std::format("band {} is {} in {} and {} in {}: they cannot be used together", b + 1,
                                   other.bands[b].name, other.name, one.bands[b].name, one.name),
                       "images.bands in a recipe takes bands in any order, images.band_names names them");
  }
}

shards::ShardSet kind_of(const Dataset& dataset) {
  shards::ShardSet set;
  set.data_type = dataset.data_type;
  for (const BandInfo& band : dataset.bands) set.bands.push_back({band.name, band.low, band.high});
  set.taxonomy = dataset.taxonomy;
  set.tasks = {dataset.task};
  return set;
}

void require_packed_of(const std::vector<std::filesystem::path>& datasets, const std::filesystem::path& shards) {
  constexpr const char* kOtherData = "resume the run with the same data, or start one in another folder";
  std::vector<shards::ShardSource> named;
  for (const std::filesystem::path& folder : datasets) {
    std::ranges::move(sources_of(read_dataset(folder)), std::back_inserter(named));
  }
  const shards::ShardSet set = shards::read_shard_set(shards);
  const std::vector<shards::ShardSource>& packed = set.sources;
  for (std::size_t i = 0; i < std::max(named.size(), packed.size()); ++i) {
    if (i < named.size() && i < packed.size() && named[i] == packed[i]) continue;
    throw RequestError(std::format("{} was packed of {}, not of {}", shards.string(),
                                   i < packed.size() ? packed[i].dataset + " as it was then" : "fewer datasets",
                                   i < named.size() ? named[i].dataset + " as it is" : "fewer datasets"),
                       kOtherData);
  }
  if (set.dataset_sha256.empty() || set.dataset_sha256 == hashes_of(datasets)) return;
  throw RequestError(std::format("{} was packed before its data were changed", shards.string()), kOtherData);
}

PackSummary pack_datasets(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& output,
                          const PackOptions& options) {
  std::vector<Dataset> datasets;
  datasets.reserve(folders.size());
  for (const auto& folder : folders) datasets.push_back(read_dataset(folder));
  return pack(datasets, hashes_of(folders), output, options);
}

PackSummary pack_datasets(const std::vector<Dataset>& datasets, const std::filesystem::path& output,
                          const PackOptions& options) {
  return pack(datasets, {}, output, options);
}

}  // namespace terragen::data
