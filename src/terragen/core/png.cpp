#include "terragen/core/png.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"

#ifdef TERRAGEN_HAVE_ZLIB
#include <zlib.h>
#endif

namespace terragen {
namespace {

void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> static_cast<unsigned>(shift)));
}

std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0U ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void append_chunk(std::string& out, const char* type, const std::string& data) {
  append_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::string body = type + data;
  out += body;
  append_big_endian(out, crc32_of(body));
}

#ifdef TERRAGEN_HAVE_ZLIB
std::string zlib_stream(const std::string& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string packed(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                               reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size()), 6);
  if (result != Z_OK) throw InternalError("[png_bytes] zlib refused to compress");
  packed.resize(size);
  return packed;
}
#else
// RFC 1950 and 1951: a zlib stream of stored blocks.
std::string zlib_stream(const std::string& raw) {
  std::string out = "\x78\x01";
  std::size_t at = 0;
  do {
    const std::size_t length = std::min<std::size_t>(65535, raw.size() - at);
    out.push_back(at + length == raw.size() ? '\x01' : '\x00');
    out.push_back(static_cast<char>(length & 0xFFU));
    out.push_back(static_cast<char>(length >> 8U));
    out.push_back(static_cast<char>(~length & 0xFFU));
    out.push_back(static_cast<char>((~length >> 8U) & 0xFFU));
    out.append(raw, at, length);
    at += length;
  } while (at < raw.size());
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char byte : raw) {
    a = (a + static_cast<unsigned char>(byte)) % 65521U;
    b = (b + a) % 65521U;
  }
  append_big_endian(out, (b << 16U) | a);
  return out;
}
#endif

}  // namespace

std::string png_bytes(const Canvas& canvas) {
  std::string header;
  append_big_endian(header, static_cast<std::uint32_t>(canvas.width()));
  append_big_endian(header, static_cast<std::uint32_t>(canvas.height()));
  header += std::string("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, deflate, adaptive filters, not interlaced
  const std::size_t stride = 3 * static_cast<std::size_t>(canvas.width());
  std::string raw;
  raw.reserve((stride + 1) * static_cast<std::size_t>(canvas.height()));
  for (std::size_t y = 0; y < static_cast<std::size_t>(canvas.height()); ++y) {
    const std::uint8_t* row = canvas.pixels().data() + y * stride;
    raw.push_back('\x01');  // filter "Sub": differences to the left compress better
    for (std::size_t i = 0; i < stride; ++i) {
      raw.push_back(static_cast<char>(row[i] - (i >= 3 ? row[i - 3] : 0)));
    }
  }
  std::string file("\x89PNG\r\n\x1a\n", 8);
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", zlib_stream(raw));
  append_chunk(file, "IEND", {});
  return file;
}

void write_png(const std::filesystem::path& path, const Canvas& canvas) { write_file(path, png_bytes(canvas)); }

}  // namespace terragen
