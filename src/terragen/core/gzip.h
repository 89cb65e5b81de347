// Reads what gzip wrote (RFC 1952).
#pragma once

#include <filesystem>
#include <string>

namespace terragen {

// A file's content, unpacked where it begins as gzip's files do. DataError naming the file when it cannot be read, is
// damaged or unpacks to more than `limit` bytes; RequestError for a packed file where the build found no zlib.
std::string read_maybe_gzip(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30);

}  // namespace terragen
