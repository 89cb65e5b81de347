#include "terragen/tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/core/json_file.h"
#include "terragen/core/sha256.h"
#include "terragen/tensor/safetensors_header.h"

namespace terragen::tensor {
namespace {

using Bytes = std::span<const std::byte>;

Bytes bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

void check_truth_values(const torch::Tensor& tensor, const std::string& name, const std::string& place) {
  if (tensor.scalar_type() == torch::kBool &&
      std::ranges::any_of(bytes_of(tensor), [](std::byte b) { return b > std::byte{1}; })) {
    throw DataError(std::format("{}: tensor \"{}\"", place, name), "holds truth values other than 0 and 1");
  }
}

// The file's tensors as `read` gives them, its checksum verified.
SafetensorsFile assemble(const SafetensorsHeader& header, const std::string& place, Checksum checksum,
                         const std::function<torch::Tensor(const SafetensorsEntry&)>& read) {
  SafetensorsFile file{.tensors = {}, .metadata = header.metadata};
  const auto stored = file.metadata.find(kChecksumKey);
  if (stored == file.metadata.end() && checksum == Checksum::required) throw DataError(place, "carries no checksum");
  Sha256 hash;
  for (const SafetensorsEntry& entry : header.entries) {
    const torch::Tensor tensor = read(entry);
    check_truth_values(tensor, entry.name, place);
    if (stored != file.metadata.end()) {
      add_to_checksum(hash, entry.name, entry.type_name, entry.shape, bytes_of(tensor));
    }
    file.tensors[entry.name] = tensor;
  }
  if (stored != file.metadata.end() && stored->second != hash.hex()) {
    throw DataError(place, "does not match its checksum", "the file is damaged: copy or download it again");
  }
  return file;
}

// A whole file in the address space; what is written to it stays in this process.
class Mapping {
 public:
  Mapping(const std::filesystem::path& path, std::size_t size) : size_(size) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    void* const begin = file < 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    const int error = errno;
    if (file >= 0) close(file);
    if (begin == MAP_FAILED) throw DataError(path.string(), std::format("cannot be mapped ({})", std::strerror(error)));
    begin_ = static_cast<std::byte*>(begin);
  }
  ~Mapping() { munmap(begin_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::byte* begin() const { return begin_; }

 private:
  std::byte* begin_ = nullptr;
  std::size_t size_;
};

}  // namespace

SafetensorsFile load_safetensors(const std::filesystem::path& path, Checksum checksum) {
  const SafetensorsHeader header = read_safetensors_header(path);
  std::ifstream stream(path, std::ios::binary);
  return assemble(header, path.string(), checksum, [&](const SafetensorsEntry& entry) {
    torch::Tensor tensor = torch::empty(entry.shape, entry.type);
    stream.seekg(static_cast<std::streamoff>(entry.begin));
    stream.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(entry.end - entry.begin));
    if (!stream) throw DataError(path.string(), "ends too early");
    return tensor;
  });
}

SafetensorsFile map_safetensors(const std::filesystem::path& path, Checksum checksum) {
  const SafetensorsHeader header = read_safetensors_header(path);
  const auto mapping = std::make_shared<Mapping>(path, header.file_size);
  return assemble(header, path.string(), checksum, [&](const SafetensorsEntry& entry) {
    std::byte* const begin = mapping->begin() + entry.begin;
    const torch::Tensor view = torch::from_blob(begin, entry.shape, [mapping](void*) {}, torch::dtype(entry.type));
    // Writers pad the header so that numbers lie even; where one did not, they are moved.
    const bool lies_even = entry.begin % torch::elementSize(entry.type) == 0;
    if (lies_even) return view;
    torch::Tensor moved = torch::empty(entry.shape, entry.type);
    std::memcpy(moved.data_ptr(), begin, entry.end - entry.begin);
    return moved;
  });
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
    const char* type = safetensors_type_name(dense.scalar_type(), name);
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
