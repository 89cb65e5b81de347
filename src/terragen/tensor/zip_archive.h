// Zip files (PKWARE APPNOTE 6.3, zip64 included) whose entries are stored as they are: the container of PyTorch's
// archives, which keeps tensors uncompressed so that they can be mapped.
//
// Checked: the table of contents lies inside the file and names no entry twice, no entry reaches beyond the file or
// into another one, its own header repeats its name, and what is read matches its CRC-32. Compressed and encrypted
// entries are listed, but not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>

namespace terragen::tensor {

class ZipArchive {
 public:
  struct Entry {
    std::uint64_t header = 0;  // where the entry's own header begins
    std::uint64_t size = 0;    // bytes
    std::uint32_t crc = 0;
    bool stored = true;  // neither compressed nor encrypted
  };

  // DataError naming the file, and the entry where one is meant, for everything that is not as above.
  explicit ZipArchive(const std::filesystem::path& path);

  const std::map<std::string, Entry>& entries() const { return entries_; }
  // `target` has the entry's size. DataError when there is no such entry or it cannot be read.
  void read(const std::string& name, std::span<std::byte> target);
  // DataError also when the entry has more than `limit` bytes.
  std::string read_text(const std::string& name, std::uint64_t limit);

 private:
  void read_at(std::uint64_t begin, std::span<std::byte> target, const std::string& what);
  std::string text_at(std::uint64_t begin, std::uint64_t size, const std::string& what);
  void read_directory(std::uint64_t begin, std::uint64_t size, std::uint64_t count);
  void check_ranges(std::uint64_t directory) const;
  const Entry& entry(const std::string& name) const;

  std::string place_;
  std::uint64_t size_ = 0;
  std::ifstream stream_;
  std::map<std::string, Entry> entries_;
};

// Whether the file begins as a zip file does. False where it cannot be read.
bool begins_as_zip(const std::filesystem::path& path);

}  // namespace terragen::tensor
