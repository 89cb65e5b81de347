// The header of a safetensors file: what safetensors.h promises is checked here.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "terragen/core/sha256.h"

namespace terragen::tensor {

struct SafetensorsEntry {
  std::string name;
  std::string type_name;
  torch::ScalarType type = torch::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes from the file's beginning
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their names
  std::map<std::string, std::string> metadata;
  std::uint64_t file_size = 0;
};

// DataError naming the file, and the tensor where one is meant.
SafetensorsHeader read_safetensors_header(const std::filesystem::path& path);

// The format's name of a number type; InternalError for one it does not know.
const char* safetensors_type_name(torch::ScalarType type, const std::string& tensor);

inline constexpr const char* kMetadataKey = "__metadata__";
inline constexpr const char* kChecksumKey = "terragen.sha256";
// Adds one tensor to the checksum of a file; tensors come in the order of their names.
void add_to_checksum(Sha256& hash, const std::string& name, const std::string& type,
                     const std::vector<std::int64_t>& shape, std::span<const std::byte> data);

}  // namespace terragen::tensor
