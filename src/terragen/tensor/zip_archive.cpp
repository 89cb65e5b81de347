#include "terragen/tensor/zip_archive.h"

#include <algorithm>
#include <array>
#include <format>
#include <vector>

#include "terragen/core/error.h"

namespace terragen::tensor {
namespace {

constexpr std::uint64_t kDirectoryLimit = 100'000'000;
constexpr std::uint32_t kEntryHeader = 0x04034b50, kDirectoryHeader = 0x02014b50, kEndRecord = 0x06054b50;
constexpr std::uint32_t kLongEndRecord = 0x06064b50, kLongEndLocator = 0x07064b50;
constexpr std::uint64_t kEntryHeaderSize = 30, kDirectoryHeaderSize = 46, kEndRecordSize = 22;
constexpr std::uint64_t kLongEndRecordSize = 56, kLongEndLocatorSize = 20, kLongestComment = 65535;
constexpr std::uint64_t kSeeLong16 = 0xFFFF, kSeeLong32 = 0xFFFFFFFF;  // the value stands in the 64-bit field instead

// A little-endian number of `size` bytes; the caller has checked that they are there.
std::uint64_t number_at(const std::string& bytes, std::uint64_t at, std::uint64_t size) {
  std::uint64_t value = 0;
  for (std::uint64_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0U ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  return table;
}

std::uint32_t crc32_of_bytes(std::span<const std::byte> bytes) {
  static const std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) crc = kTable[(crc ^ static_cast<std::uint32_t>(byte)) & 0xFFU] ^ (crc >> 8U);
  return ~crc;
}

// The 64-bit values of a directory entry stand in its extra fields, in a fixed order, each only where it is needed.
void take_long_values(const std::string& extra, std::uint64_t& size, std::uint64_t& packed, std::uint64_t& header) {
  constexpr std::uint64_t kLongField = 1;
  for (std::uint64_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t length = number_at(extra, at + 2, 2), end = at + 4 + length;
    if (end > extra.size()) return;
    if (number_at(extra, at, 2) == kLongField) {
      std::uint64_t next = at + 4;
      for (std::uint64_t* value : {&size, &packed, &header}) {
        if (*value != kSeeLong32 || next + 8 > end) continue;
        *value = number_at(extra, next, 8);
        next += 8;
      }
      return;
    }
    at = end;
  }
}

}  // namespace

ZipArchive::ZipArchive(const std::filesystem::path& path) : place_(path.string()), stream_(path, std::ios::binary) {
  std::error_code error;
  size_ = std::filesystem::file_size(path, error);
  if (error || !stream_) throw DataError(place_, "cannot be opened");

  // The end record is the last thing in the file but for a comment of unknown length.
  const std::uint64_t tail_size = std::min(size_, kEndRecordSize + kLongestComment);
  const std::uint64_t tail_begin = size_ - tail_size;
  const std::string tail = text_at(tail_begin, tail_size, "the end");
  bool found = false;
  std::uint64_t end = 0;
  for (std::uint64_t i = tail_size < kEndRecordSize ? 0 : tail_size - kEndRecordSize + 1; i > 0 && !found; --i) {
    end = i - 1;
    found = number_at(tail, end, 4) == kEndRecord && end + kEndRecordSize + number_at(tail, end + 20, 2) == tail_size;
  }
  if (!found) throw DataError(place_, "has no table of contents at its end", "the file may be cut off");

  std::uint64_t count = number_at(tail, end + 10, 2), size = number_at(tail, end + 12, 4);
  std::uint64_t begin = number_at(tail, end + 16, 4);
  const std::uint64_t record = tail_begin + end;
  if (record >= kLongEndLocatorSize && (count == kSeeLong16 || size == kSeeLong32 || begin == kSeeLong32)) {
    const std::string locator = text_at(record - kLongEndLocatorSize, kLongEndLocatorSize, "the end");
    if (number_at(locator, 0, 4) == kLongEndLocator) {
      const std::string full = text_at(number_at(locator, 8, 8), kLongEndRecordSize, "the end record");
      if (number_at(full, 0, 4) != kLongEndRecord) throw DataError(place_, "has a damaged end record");
      count = number_at(full, 32, 8);
      size = number_at(full, 40, 8);
      begin = number_at(full, 48, 8);
    }
  }
  if (size > kDirectoryLimit) throw DataError(place_, std::format("claims a table of contents of {} bytes", size));
  read_directory(begin, size, count);
  check_ranges(begin);
}

void ZipArchive::read_directory(std::uint64_t begin, std::uint64_t size, std::uint64_t count) {
  const std::string directory = text_at(begin, size, "the table of contents");
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (directory.size() - at < kDirectoryHeaderSize || number_at(directory, at, 4) != kDirectoryHeader) {
      throw DataError(place_, std::format("has a table of contents that is damaged at its entry {}", i));
    }
    const std::uint64_t flags = number_at(directory, at + 8, 2), method = number_at(directory, at + 10, 2);
    const std::uint64_t name_size = number_at(directory, at + 28, 2), extra_size = number_at(directory, at + 30, 2);
    const std::uint64_t whole = kDirectoryHeaderSize + name_size + extra_size + number_at(directory, at + 32, 2);
    if (directory.size() - at < whole) {
      throw DataError(place_, std::format("has a table of contents that ends inside its entry {}", i));
    }
    const std::string name = directory.substr(at + kDirectoryHeaderSize, name_size);
    std::uint64_t packed = number_at(directory, at + 20, 4);
    Entry entry{.header = number_at(directory, at + 42, 4),
                .size = number_at(directory, at + 24, 4),
                .crc = static_cast<std::uint32_t>(number_at(directory, at + 16, 4)),
                .stored = method == 0 && (flags & 1U) == 0};
    take_long_values(directory.substr(at + kDirectoryHeaderSize + name_size, extra_size), entry.size, packed,
                     entry.header);
    if (entry.stored && packed != entry.size) {
      throw DataError(place_ + ": " + name,
                      std::format("is stored, but has {} bytes in place of {}", packed, entry.size));
    }
    if (!entry.stored) entry.size = packed;  // what it takes up in the file
    if (!entries_.emplace(name, entry).second)
      throw DataError(place_ + ": " + name, "is in the table of contents twice");
    at += whole;
  }
}

void ZipArchive::check_ranges(std::uint64_t directory) const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // begin, and the least end there can be
  for (const auto& [name, entry] : entries_) {
    if (entry.header > directory || directory - entry.header < kEntryHeaderSize + name.size() ||
        entry.size > directory - entry.header - kEntryHeaderSize - name.size()) {
      throw DataError(place_ + ": " + name, "reaches beyond the entries of the file");
    }
    ranges.emplace_back(entry.header, entry.header + kEntryHeaderSize + name.size() + entry.size);
  }
  std::ranges::sort(ranges);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) throw DataError(place_, "has entries that overlap");
  }
}

const ZipArchive::Entry& ZipArchive::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw DataError(place_, std::format("has no entry \"{}\"", name));
  if (!found->second.stored) {
    throw DataError(place_ + ": " + name, "is compressed or encrypted",
                    "unpack the file and pack it without compression");
  }
  return found->second;
}

void ZipArchive::read(const std::string& name, std::span<std::byte> target) {
  const Entry& wanted = entry(name);
  const std::string place = place_ + ": " + name;
  if (target.size() != wanted.size) {
    throw DataError(place, std::format("has {} bytes where {} were expected", wanted.size, target.size()));
  }
  const std::string header = text_at(wanted.header, kEntryHeaderSize, name);
  const std::uint64_t name_size = number_at(header, 26, 2);
  if (number_at(header, 0, 4) != kEntryHeader || name_size != name.size() ||
      text_at(wanted.header + kEntryHeaderSize, name_size, name) != name) {
    throw DataError(place, "has another header than the table of contents says");
  }
  // PyTorch's writer fills the extra field so that the data begin at a multiple of 64 bytes.
  read_at(wanted.header + kEntryHeaderSize + name_size + number_at(header, 28, 2), target, name);
  if (crc32_of_bytes(target) != wanted.crc) {
    throw DataError(place, "does not match its checksum", "the file is damaged: copy or download it again");
  }
}

std::string ZipArchive::read_text(const std::string& name, std::uint64_t limit) {
  const std::uint64_t size = entry(name).size;
  if (size > limit) {
    throw DataError(place_ + ": " + name, std::format("has {} bytes, more than the {} allowed", size, limit));
  }
  std::string text(size, '\0');
  read(name, std::as_writable_bytes(std::span(text)));
  return text;
}

void ZipArchive::read_at(std::uint64_t begin, std::span<std::byte> target, const std::string& what) {
  if (begin > size_ || target.size() > size_ - begin) throw DataError(place_, std::format("ends inside {}", what));
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(begin));
  stream_.read(reinterpret_cast<char*>(target.data()), static_cast<std::streamsize>(target.size()));
  if (!stream_) throw DataError(place_, std::format("cannot be read inside {}", what));
}

std::string ZipArchive::text_at(std::uint64_t begin, std::uint64_t size, const std::string& what) {
  // Before anything of that size is allocated.
  if (begin > size_ || size > size_ - begin) throw DataError(place_, std::format("ends inside {}", what));
  std::string text(size, '\0');
  read_at(begin, std::as_writable_bytes(std::span(text)), what);
  return text;
}

bool begins_as_zip(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 4> first{};
  stream.read(first.data(), first.size());
  return stream && first == std::array{'P', 'K', '\3', '\4'};
}

}  // namespace terragen::tensor
