#include "terragen/tensor/weight_files.h"

#include <format>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/tensor/pytorch_archive.h"

namespace terragen::tensor {
namespace {

namespace fs = std::filesystem;

TensorMap map_shards(const fs::path& index_file) {
  const std::string place = index_file.string();
  const Json map = json_member<Json>(read_json(index_file), "weight_map", place);
  if (!map.is_object() || map.empty()) throw DataError(place, "key \"weight_map\" names no tensors");
  std::set<std::string> shards;
  for (const auto& [name, file] : map.items()) {
    if (!file.is_string()) throw DataError(place, std::format("tensor \"{}\" has no file", name));
    const fs::path shard = file.get<std::string>();
    if (shard != shard.filename() || shard == ".." || shard == "." || shard.empty()) {
      throw DataError(
          place, std::format("tensor \"{}\" lies in \"{}\", which is not in the index's folder", name, shard.string()));
    }
    shards.insert(shard.string());
  }
  TensorMap all;
  for (const std::string& shard : shards) {
    const fs::path path = index_file.parent_path() / shard;
    for (auto& [name, value] : map_weights(path)) {
      if (!map.contains(name) || map.at(name) != shard) {
        throw DataError(path.string(),
                        std::format("holds tensor \"{}\", which the index does not look for there", name));
      }
      all[name] = value;
    }
  }
  for (const auto& [name, file] : map.items()) {
    if (!all.contains(name)) {
      throw DataError((index_file.parent_path() / file.get<std::string>()).string(),
                      std::format("tensor \"{}\" is missing", name));
    }
  }
  return all;
}

// Safetensors before PyTorch's archives, full precision before half. Empty: none.
fs::path known_weights(const fs::path& folder, const std::string& stem) {
  for (const char* ending :
       {".safetensors", ".safetensors.index.json", ".fp16.safetensors", ".safetensors.index.fp16.json",
        ".fp16.safetensors.index.json", ".bin", ".bin.index.json", ".fp16.bin", ".bin.index.fp16.json"}) {
    if (fs::path found = folder / (stem + ending); fs::exists(found)) return found;
  }
  return {};
}

}  // namespace

TensorMap map_weights(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".json")) return map_shards(path);
  return name.ends_with(".safetensors") ? map_safetensors(path).tensors : load_pytorch_archive(path);
}

fs::path find_weights(const fs::path& folder, const std::string& stem) {
  const fs::path found = known_weights(folder, stem);
  if (found.empty()) throw DataError(folder.string(), std::format("holds no weights named {}", stem));
  return found;
}

fs::path find_transformers_weights(const fs::path& folder) {
  return find_weights(folder, known_weights(folder, "model").empty() ? "pytorch_model" : "model");
}

}  // namespace terragen::tensor
