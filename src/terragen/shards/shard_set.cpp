#include "terragen/shards/shard_set.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::shards {
namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kIndex = "shards.json";

}  // namespace

std::string source_name(const std::string& dataset, const std::string& image, bool synthetic) {
  return dataset + (synthetic ? " (synthetic)/" : "/") + image;
}

bool is_synthetic(const std::string& source) { return source.substr(0, source.find('/')).ends_with(" (synthetic)"); }

ShardSet read_shard_set(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kIndex;
  const std::string place = file.string();
  if (!std::filesystem::exists(file)) {
    throw DataError(folder.string(), "holds no packed shards", "`terragen pack DATASET -o SHARDS` makes them");
  }
  const Json json = read_json(file);
  if (const int version = json_member<int>(json, "format_version", place); version != kFormatVersion) {
    throw DataError(place, std::format("has format version {}, this program reads {}", version, kFormatVersion));
  }
  ShardSet set;
  set.data_type = json_member<std::string>(json, "data_type", place);
  for (const Json& band : json_member<Json>(json, "bands", place)) {
    set.bands.push_back({json_member<std::string>(band, "name", place), json_member<double>(band, "low", place),
                         json_member<double>(band, "high", place)});
    if (!(set.bands.back().high > set.bands.back().low)) throw DataError(place, "a band's range is empty");
  }
  if (set.bands.empty()) throw DataError(place, "names no bands");
  set.taxonomy = layout::taxonomy_from_json(json_member<Json>(json, "classes", place), place);
  set.tasks = json_member<std::vector<std::string>>(json, "tasks", place);
  set.dense_tasks = json_member<std::vector<std::string>>(json, "dense_tasks", place);
  for (const Json& source : json_member<Json>(json, "sources", place)) {
    set.sources.push_back(
        {json_member<std::string>(source, "dataset", place), json_member<std::string>(source, "task", place),
         json_member<std::string>(source, "licence", place), json_member<std::string>(source, "attribution", place),
         json_member<std::int64_t>(source, "samples", place),
         json_member_or<std::vector<std::string>>(source, "places", {}, place)});
  }
  set.dataset_sha256 = json_member_or<std::vector<std::string>>(json, "dataset_sha256", {}, place);
  for (const Json& item : json_member<Json>(json, "files", place)) {
    set.files.push_back({json_member<std::string>(item, "name", place), json_member<std::string>(item, "split", place),
                         json_member<std::int64_t>(item, "count", place)});
    const std::string& name = set.files.back().name;
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with(".")) {
      throw DataError(place, std::format("names the file \"{}\", which leaves the folder", name));
    }
  }
  return set;
}

void write_shard_set(const ShardSet& set, const std::filesystem::path& folder) {
  Json json = {{"format_version", kFormatVersion},
               {"data_type", set.data_type},
               {"classes", layout::taxonomy_to_json(set.taxonomy)},
               {"tasks", set.tasks},
               {"dense_tasks", set.dense_tasks},
               {"bands", Json::array()},
               {"sources", Json::array()},
               {"files", Json::array()}};
  for (const ShardBand& band : set.bands) {
    json["bands"].push_back({{"name", band.name}, {"low", band.low}, {"high", band.high}});
  }
  for (const ShardSource& source : set.sources) {
    json["sources"].push_back({{"dataset", source.dataset},
                               {"task", source.task},
                               {"licence", source.licence},
                               {"attribution", source.attribution},
                               {"samples", source.samples},
                               {"places", source.places}});
  }
  if (!set.dataset_sha256.empty()) json["dataset_sha256"] = set.dataset_sha256;
  for (const ShardSet::File& file : set.files) {
    json["files"].push_back({{"name", file.name}, {"split", file.split}, {"count", file.count}});
  }
  write_json(folder / kIndex, json);
}

}  // namespace terragen::shards
