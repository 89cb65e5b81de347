#include "terragen/core/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>

#include "terragen/core/error.h"

namespace terragen {
namespace {

namespace fs = std::filesystem;

// Unique within the machine: process and a counter; hidden, so that a crash leaves nothing that looks like data.
fs::path temporary_beside(const fs::path& target) {
  static std::atomic<unsigned> counter{0};
  fs::path absolute = fs::absolute(target).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return absolute.parent_path() / std::format(".{}.partial-{}-{}", absolute.filename().string(), getpid(), counter++);
}

void flush_to_disk(const fs::path& path, const fs::path& target) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw DataError(target.string(), std::format("cannot be written ({})", std::strerror(errno)));
  }
  const int result = fsync(descriptor);
  const int reason = errno;
  close(descriptor);
  if (result != 0 && reason != EINVAL) {
    throw DataError(target.string(), std::format("cannot be written to disk ({})", std::strerror(reason)));
  }
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw DataError(to.string(), std::format("cannot be put in place ({})", error.message()));
}

void make_parent(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) throw DataError(path.parent_path().string(), std::format("cannot be created ({})", error.message()));
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  make_parent(temporary_);
}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  flush_to_disk(temporary_, target_);
  rename_or_throw(temporary_, target_);
  committed_ = true;
}

AtomicFolder::AtomicFolder(fs::path target, bool replace)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  std::error_code error;
  if (fs::exists(target_, error) && !replace && !(fs::is_directory(target_, error) && fs::is_empty(target_, error))) {
    throw RequestError(std::format("{} exists already", target_.string()), "choose another output folder or remove it");
  }
  make_parent(temporary_);
  fs::create_directory(temporary_, error);
  if (error) throw DataError(target_.string(), std::format("cannot be created ({})", error.message()));
}

AtomicFolder::~AtomicFolder() {
  if (committed_) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void AtomicFolder::commit() {
  std::error_code error;
  if (fs::exists(target_, error)) {
    const fs::path old = temporary_beside(target_);
    rename_or_throw(target_, old);
    rename_or_throw(temporary_, target_);
    fs::remove_all(old, error);
  } else {
    rename_or_throw(temporary_, target_);
  }
  committed_ = true;
}

void write_file(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  {
    std::ofstream stream(file.path(), std::ios::binary);
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
    stream.flush();
    if (!stream) throw DataError(path.string(), std::format("cannot be written ({})", std::strerror(errno)));
  }
  file.commit();
}

std::string read_file(const fs::path& path, std::size_t limit) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw DataError(path.string(), "is not a file that can be read");
  const auto size = fs::file_size(path, error);
  if (error) throw DataError(path.string(), std::format("cannot be read ({})", error.message()));
  if (size > limit) throw DataError(path.string(), std::format("has {} bytes, more than the {} allowed", size, limit));
  std::ifstream stream(path, std::ios::binary);
  std::string content(size, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(size));
  if (!stream) throw DataError(path.string(), "cannot be read to its end");
  return content;
}

}  // namespace terragen
