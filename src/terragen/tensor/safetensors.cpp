#include "terragen/tensor/safetensors.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/sha256.h"

namespace terragen::tensor {
namespace {

constexpr std::uint64_t kHeaderLimit = 100'000'000;
constexpr const char* kChecksumKey = "terragen.sha256";
constexpr const char* kMetadataKey = "__metadata__";

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

const char* name_of(torch::ScalarType wanted, const std::string& tensor) {
  for (const TypeName& type : kTypes) {
    if (wanted == type.type) return type.name;
  }
  throw InternalError(std::format("[save_safetensors] tensor \"{}\" has a type the format does not know", tensor));
}

struct Entry {
  std::string name;
  std::string type_name;
  torch::ScalarType type = torch::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

void add_to_checksum(Sha256& hash, const std::string& name, const std::string& type,
                     const std::vector<std::int64_t>& shape, std::span<const std::byte> data) {
  std::string head = name + '\0' + type + '\0';
  for (std::size_t i = 0; i < shape.size(); ++i) head += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  head += '\0';
  hash.update(std::as_bytes(std::span(head)));
  hash.update(data);
}

// Parses the header while watching for repeated keys, which a JSON object would silently merge.
Json parse_header(const std::string& text, const std::string& place) {
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

Entry entry_of(const std::string& name, const Json& value, std::uint64_t data_size, const std::string& file) {
  const std::string place = std::format("{}: tensor \"{}\"", file, name);
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || !value["dtype"].is_string() || !value["shape"].is_array() ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2 ||
      !std::ranges::all_of(value["shape"], is_count) || !std::ranges::all_of(value["data_offsets"], is_count)) {
    throw DataError(place, "is not described by dtype, shape and two data_offsets");
  }
  Entry entry;
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

void check_ranges(std::vector<Entry> entries, std::uint64_t data_size, const std::string& place) {
  std::ranges::sort(
      entries, [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
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

SafetensorsFile load_safetensors(const std::filesystem::path& path, Checksum checksum) {
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

  SafetensorsFile file;
  std::vector<Entry> entries;
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

  // `entries` are in the order of their names, as the checksum wants them.
  std::ranges::sort(entries, {}, &Entry::name);
  Sha256 hash;
  for (const Entry& entry : entries) {
    torch::Tensor tensor = torch::empty(entry.shape, entry.type);
    stream.seekg(static_cast<std::streamoff>(8 + length + entry.begin));
    read_exactly(stream, tensor.data_ptr(), entry.end - entry.begin, place);
    const auto* bytes = static_cast<const std::byte*>(tensor.data_ptr());
    add_to_checksum(hash, entry.name, entry.type_name, entry.shape, {bytes, entry.end - entry.begin});
    if (entry.type == torch::kBool &&
        std::any_of(bytes, bytes + tensor.numel(), [](std::byte b) { return b > std::byte{1}; })) {
      throw DataError(std::format("{}: tensor \"{}\"", place, entry.name), "holds truth values other than 0 and 1");
    }
    file.tensors[entry.name] = tensor;
  }
  const auto stored = file.metadata.find(kChecksumKey);
  if (stored == file.metadata.end()) {
    if (checksum == Checksum::required) throw DataError(place, "carries no checksum");
  } else if (stored->second != hash.hex()) {
    throw DataError(place, "does not match its checksum", "the file is damaged: copy or download it again");
  }
  return file;
}

void save_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  Sha256 hash;
  std::vector<torch::Tensor> ready;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor dense = tensor.detach().cpu().contiguous();
    const auto size = static_cast<std::uint64_t>(dense.nbytes());
    const char* type = name_of(dense.scalar_type(), name);
    header[name] = {{"dtype", type}, {"shape", dense.sizes().vec()}, {"data_offsets", {at, at + size}}};
    add_to_checksum(hash, name, type, dense.sizes().vec(), {static_cast<const std::byte*>(dense.data_ptr()), size});
    at += size;
    ready.push_back(dense);
  }
  Json described = metadata;
  described[kChecksumKey] = hash.hex();
  header[kMetadataKey] = described;
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  AtomicFile output(path);
  {
    std::ofstream stream(output.path(), std::ios::binary);
    const std::uint64_t length = text.size();
    for (unsigned shift = 0; shift < 64; shift += 8) stream.put(static_cast<char>(length >> shift));
    stream << text;
    for (const torch::Tensor& tensor : ready) {
      stream.write(static_cast<const char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    }
    stream.flush();
    if (!stream) throw DataError(path.string(), std::format("cannot be written ({})", std::strerror(errno)));
  }
  output.commit();
}

}  // namespace terragen::tensor
