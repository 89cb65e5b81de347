// Where tests find reference tensors and real data. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "terragen/core/scratch_folder.h"

namespace terragen::test {

inline std::filesystem::path folder_of(const char* variable, const char* fallback) {
  const char* named = std::getenv(variable);
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(TERRAGEN_SOURCE_DIR) / "../shared" / fallback;
}
inline std::filesystem::path golden_folder() { return folder_of("TERRAGEN_GOLDEN", "golden"); }
inline std::filesystem::path data_folder() { return folder_of("TERRAGEN_DATA", "data"); }

// Every golden case whose folder begins with `prefix`: further cases of the same form pass the same test.
inline std::vector<std::filesystem::path> golden_cases(const std::string& prefix) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder(), error)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  return found;
}

using terragen::ScratchFolder;

}  // namespace terragen::test
