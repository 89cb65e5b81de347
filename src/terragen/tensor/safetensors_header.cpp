#include "terragen/tensor/safetensors_header.h"

#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <limits>
#include <optional>
#include <set>

#include "terragen/core/error.h"
#include "terragen/core/json_file.h"

namespace terragen::tensor {
namespace {

constexpr std::uint64_t kHeaderLimit = 100'000'000;

struct TypeName {
  const char* name;
  torch::ScalarType type;
};
constexpr std::array<TypeName, 10> kTypes{{{"F64", torch::kFloat64},
                                           {"F32", torch::kFloat32},
                                           {"F16", torch::kFloat16},
                                           {"BF16", torch::kBFloat16},
                                           {"I64", torch::kInt64},
                                           {"I32", torch::kInt32},
                                           {"I16", torch::kInt16},
                                           {"I8", torch::kInt8},
                                           {"U8", torch::kUInt8},
                                           {"BOOL", torch::kBool}}};

std::optional<torch::ScalarType> type_of(const std::string& name) {
  for (const TypeName& type : kTypes) {
    if (name == type.name) return type.type;
  }
  return std::nullopt;
}

// Parses the header while watching for repeated keys, which a JSON object would silently merge.
Json parse_header(const std::string& text, const std::string& place) {
  require_shallow_json(text, place);
  std::vector<std::set<std::string>> seen;
  bool repeated = false;
  const Json::parser_callback_t callback = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end && !seen.empty()) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.empty()) {
      repeated = repeated || !seen.back().insert(value.get<std::string>()).second;
    }
    return true;
  };
  Json header = Json::parse(text, callback, false);
  if (header.is_discarded() || !header.is_object()) throw DataError(place, "has a header that is not a JSON object");
  if (repeated) throw DataError(place, "names a tensor twice in its header");
  return header;
}

bool is_count(const Json& value) { return value.is_number_unsigned(); }

SafetensorsEntry entry_of(const std::string& name, const Json& value, std::uint64_t data_size,
                          const std::string& file) {
  const std::string place = std::format("{}: tensor \"{}\"", file, name);
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || !value["dtype"].is_string() || !value["shape"].is_array() ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2 ||
      !std::ranges::all_of(value["shape"], is_count) || !std::ranges::all_of(value["data_offsets"], is_count)) {
    throw DataError(place, "is not described by dtype, shape and two data_offsets");
  }
  SafetensorsEntry entry;
  entry.name = name;
  entry.type_name = value["dtype"].get<std::string>();
  const auto type = type_of(entry.type_name);
  if (!type) throw DataError(place, std::format("has the unknown type \"{}\"", entry.type_name));
  entry.type = *type;
  std::uint64_t bytes = torch::elementSize(entry.type);
  for (const Json& extent : value["shape"]) {
    const auto size = extent.get<std::uint64_t>();
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
        __builtin_mul_overflow(bytes, size, &bytes)) {
      throw DataError(place, "has a shape whose size overflows");
    }
    entry.shape.push_back(static_cast<std::int64_t>(size));
  }
  entry.begin = value["data_offsets"][0].get<std::uint64_t>();
  entry.end = value["data_offsets"][1].get<std::uint64_t>();
  if (entry.begin > entry.end || entry.end > data_size) throw DataError(place, "lies outside the file");
  if (entry.end - entry.begin != bytes) {
    throw DataError(place, std::format("has {} bytes, its shape needs {}", entry.end - entry.begin, bytes));
  }
  return entry;
}

void check_ranges(std::vector<SafetensorsEntry> entries, std::uint64_t data_size, const std::string& place) {
  std::ranges::sort(entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t at = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != at) {
      throw DataError(std::format("{}: tensor \"{}\"", place, entry.name),
                      entry.begin < at ? "overlaps another tensor" : "leaves a hole before it");
    }
    at = entry.end;
  }
  if (at != data_size) throw DataError(place, "has bytes after the last tensor");
}

void read_exactly(std::ifstream& stream, void* target, std::uint64_t size, const std::string& place) {
  stream.read(static_cast<char*>(target), static_cast<std::streamsize>(size));
  if (!stream) throw DataError(place, "ends too early");
}

}  // namespace

const char* safetensors_type_name(torch::ScalarType type, const std::string& tensor) {
  for (const TypeName& known : kTypes) {
    if (type == known.type) return known.name;
  }
  throw InternalError(std::format("[save_safetensors] tensor \"{}\" has a type the format does not know", tensor));
}

void add_to_checksum(Sha256& hash, const std::string& name, const std::string& type,
                     const std::vector<std::int64_t>& shape, std::span<const std::byte> data) {
  std::string head = name + '\0' + type + '\0';
  for (std::size_t i = 0; i < shape.size(); ++i) head += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  head += '\0';
  hash.update(std::as_bytes(std::span(head)));
  hash.update(data);
}

SafetensorsHeader read_safetensors_header(const std::filesystem::path& path) {
  const std::string place = path.string();
  std::error_code error;
  const std::uint64_t file_size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) throw DataError(place, "cannot be opened");
  std::array<unsigned char, 8> length_bytes{};
  read_exactly(stream, length_bytes.data(), 8, place);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{length_bytes[i]} << (8 * i);
  if (length > kHeaderLimit || length > file_size - 8) {
    throw DataError(place, std::format("claims a header of {} bytes", length), "the file may be cut off");
  }
  std::string text(length, '\0');
  read_exactly(stream, text.data(), length, place);
  const Json header = parse_header(text, place);
  const std::uint64_t data_size = file_size - 8 - length;

  SafetensorsHeader file;
  file.file_size = file_size;
  std::vector<SafetensorsEntry>& entries = file.entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadataKey) {
      entries.push_back(entry_of(name, value, data_size, place));
      continue;
    }
    if (!value.is_object()) throw DataError(place, "has metadata that are no object");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) throw DataError(place, "has metadata that are no text");
      file.metadata[key] = text_value.get<std::string>();
    }
  }
  check_ranges(entries, data_size, place);

  for (SafetensorsEntry& entry : entries) {
    entry.begin += 8 + length;
    entry.end += 8 + length;
  }
  std::ranges::sort(entries, {}, &SafetensorsEntry::name);
  return file;
}

}  // namespace terragen::tensor
