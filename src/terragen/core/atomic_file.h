// Files and folders that appear complete or not at all: written beside their final name, flushed, then renamed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace terragen {

// A file under construction. Write to `path()`, then call `commit()`; without it the destructor removes the file.
// Throws DataError naming the final path when the file cannot be flushed or renamed (disk full, no permission).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

// A folder under construction beside `target`. `commit()` renames it to `target`. An existing target is refused
// at construction with RequestError unless it is an empty folder or `replace` is given, in which case the old
// folder is swapped out at commit. Without commit the destructor removes what was written.
class AtomicFolder {
 public:
  explicit AtomicFolder(std::filesystem::path target, bool replace = false);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

// Replaces the content of `path` atomically.
void write_file(const std::filesystem::path& path, std::string_view content);
// Reads a whole file; DataError when it cannot be read or exceeds `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 32);

}  // namespace terragen
