#include "terragen/pretrained/weights_hash.h"

#include <algorithm>
#include <span>
#include <vector>

#include "terragen/core/sha256.h"

namespace terragen::pretrained {

namespace fs = std::filesystem;

std::string weights_sha256(const fs::path& path) {
  if (!fs::is_directory(path)) return sha256_hex_of_file(path);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.path().extension() != ".safetensors" || !entry.is_regular_file()) continue;
    names.push_back(fs::relative(entry.path(), path).generic_string());
  }
  std::ranges::sort(names);
  Sha256 hash;
  for (const std::string& name : names) {
    const std::string line = name + " " + sha256_hex_of_file(path / name) + "\n";
    hash.update(std::as_bytes(std::span(line)));
  }
  return hash.hex();
}

}  // namespace terragen::pretrained
