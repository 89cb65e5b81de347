// The safetensors format: named tensors in one file, nothing that executes.
//
// Rules of the format, all checked: 8-byte little-endian header length of at most 100,000,000; a JSON header; every
// tensor's range inside the data, as long as shape and type say (multiplication checked), no overlap, no hole, the
// last range ending with the file.
//
// Our checksum: metadata key "terragen.sha256" holds the SHA-256 (hex) of "name\0dtype\0d0,d1,...\0" and the data of
// every tensor, in the order of their names (bytewise). It is verified whenever it is present.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

namespace terragen::tensor {

using TensorMap = std::map<std::string, torch::Tensor>;

struct SafetensorsFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

enum class Checksum { when_present, required };

// DataError naming the file, and the tensor where one is meant, for everything that is not as above.
SafetensorsFile load_safetensors(const std::filesystem::path& path, Checksum checksum = Checksum::when_present);

// As above, but the tensors are views of the file, mapped into memory: pages are read when they are looked at, and can
// be given back to the system. What is written to a tensor does not reach the file. The file must not be shortened
// meanwhile.
SafetensorsFile map_safetensors(const std::filesystem::path& path, Checksum checksum = Checksum::when_present);

// Writes atomically, with our checksum. Tensors may lie on any device; types: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
void save_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace terragen::tensor
