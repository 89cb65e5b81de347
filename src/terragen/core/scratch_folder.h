// A folder of its own for what is needed for a while.
#pragma once

#include <filesystem>

namespace terragen {

// Empty, below the system's temporary folder ($TMPDIR), and gone with the object. RequestError when none can be made.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace terragen
