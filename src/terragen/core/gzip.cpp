#include "terragen/core/gzip.h"

#include <array>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"

#ifdef TERRAGEN_HAVE_ZLIB
#include <zlib.h>
#endif

namespace terragen {
namespace {

#ifdef TERRAGEN_HAVE_ZLIB
std::string unpacked(const std::string& packed, std::size_t limit, const std::string& place) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw InternalError("[read_maybe_gzip] zlib cannot begin");
  // zlib reads through a pointer to what it may not change, but does not say so.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 1 << 16> buffer{};
  int result = Z_OK;
  while (result == Z_OK && text.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());  // NOLINT
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (text.size() > limit) throw DataError(place, "unpacks to more than is read");
  if (result != Z_STREAM_END) throw DataError(place, "is damaged: it cannot be unpacked");
  return text;
}
#else
std::string unpacked(const std::string&, std::size_t, const std::string& place) {
  throw RequestError(place + " is packed with gzip, which this build cannot read", "unpack it with gunzip");
}
#endif

}  // namespace

std::string read_maybe_gzip(const std::filesystem::path& path, std::size_t limit) {
  const std::string bytes = read_file(path);
  return bytes.starts_with("\x1f\x8b") ? unpacked(bytes, limit, path.string()) : bytes;
}

}  // namespace terragen
