#include "terragen/tensor/pytorch_archive.h"

#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <limits>
#include <set>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/tensor/pickle.h"
#include "terragen/tensor/zip_archive.h"

namespace terragen::tensor {
namespace {

using PickleKind = PickleValue::Kind;

constexpr std::uint64_t kPickleLimit = 1U << 22U;  // a state dictionary takes about 200 bytes a tensor
constexpr std::size_t kDeepest = 32;
constexpr std::size_t kLongestName = 1000;
constexpr std::size_t kMostValues = 1U << 20U;  // visited; values may be shared, so that there are more than bytes
constexpr std::size_t kMostDimensions = 16;
constexpr const char* kRebuildTensor = "torch._utils _rebuild_tensor_v2";

struct StorageName {
  const char* name;
  torch::ScalarType type;
};
constexpr std::array<StorageName, 10> kStorages{{{"torch DoubleStorage", torch::kFloat64},
                                                 {"torch FloatStorage", torch::kFloat32},
                                                 {"torch HalfStorage", torch::kFloat16},
                                                 {"torch BFloat16Storage", torch::kBFloat16},
                                                 {"torch LongStorage", torch::kInt64},
                                                 {"torch IntStorage", torch::kInt32},
                                                 {"torch ShortStorage", torch::kInt16},
                                                 {"torch CharStorage", torch::kInt8},
                                                 {"torch ByteStorage", torch::kUInt8},
                                                 {"torch BoolStorage", torch::kBool}}};

std::set<std::string> known_globals() {
  std::set<std::string> names{kRebuildTensor, "collections OrderedDict"};
  for (const StorageName& storage : kStorages) names.insert(storage.name);
  return names;
}

std::vector<std::int64_t> whole_numbers(const PickleValue& value, const std::string& place) {
  std::vector<std::int64_t> numbers;
  for (const PickleValue* item : value.items) {
    if (item->kind != PickleKind::integer || item->integer < 0) {
      throw DataError(place, "has a shape or strides that are no whole numbers");
    }
    numbers.push_back(item->integer);
  }
  return numbers;
}

// The one folder that everything in an archive lies in, with its slash; archives name it after themselves.
std::string root_folder(const ZipArchive& zip, const std::string& file) {
  std::vector<std::string> roots;
  const std::string pickle = "data.pkl";
  for (const auto& [name, entry] : zip.entries()) {
    const std::string folder = name.substr(0, name.rfind('/') + 1);
    if (name.ends_with(pickle) && name.size() == folder.size() + pickle.size()) roots.push_back(folder);
  }
  if (roots.size() != 1) {
    throw DataError(file,
                    std::format("is a zip file with {} entries data.pkl, an archive of PyTorch has one", roots.size()),
                    roots.empty() ? "if it holds a packed .pth or .pt file, unpack it first" : "");
  }
  return roots[0];
}

class ArchiveReader {
 public:
  explicit ArchiveReader(const std::filesystem::path& path)
      : file_(path.string()), zip_(path), root_(root_folder(zip_, file_)) {}

  TensorMap read() {
    if (zip_.entries().contains(root_ + "byteorder") && zip_.read_text(root_ + "byteorder", 64) != "little") {
      throw DataError(file_ + ": " + root_ + "byteorder", "says that numbers do not begin with their lowest byte");
    }
    const std::string place = file_ + ": " + root_ + "data.pkl";
    const std::string bytes = zip_.read_text(root_ + "data.pkl", kPickleLimit);
    const Pickle pickle(bytes, known_globals(), place);
    collect(pickle.root(), "", 0);
    return std::move(tensors_);
  }

 private:
  void collect(const PickleValue& value, const std::string& name, std::size_t depth) {
    if (depth > kDeepest || name.size() > kLongestName || ++visited_ > kMostValues) {
      throw DataError(file_, "holds values nested too deeply or too many", "it must be a dictionary of tensors");
    }
    const auto below = [&](const std::string& key) { return name.empty() ? key : name + "." + key; };
    switch (value.kind) {
      case PickleKind::call:
        add(value, name);
        return;
      case PickleKind::list:
        for (std::size_t i = 0; i < value.items.size(); ++i)
          collect(*value.items[i], below(std::to_string(i)), depth + 1);
        return;
      case PickleKind::dictionary:
        for (const auto& [key, item] : value.pairs) {
          if (key->kind == PickleKind::text) {
            collect(*item, below(key->text), depth + 1);
          } else if (key->kind == PickleKind::integer) {
            collect(*item, below(std::to_string(key->integer)), depth + 1);
          }
        }
        return;
      default:  // a number, a text, a storage without a tensor
        return;
    }
  }

  void add(const PickleValue& call, const std::string& name) {
    const std::string place = std::format("{}: tensor \"{}\"", file_, name);
    // Storage, offset, shape, strides; then what training needs, and since release 2.0 perhaps metadata.
    if (call.text != kRebuildTensor || call.items.size() < 6 || call.items.size() > 7 ||
        call.items[0]->kind != PickleKind::persistent || call.items[1]->kind != PickleKind::integer ||
        call.items[1]->integer < 0 || call.items[2]->kind != PickleKind::list ||
        call.items[3]->kind != PickleKind::list) {
      throw DataError(place, "is not described by a storage, an offset, a shape and strides");
    }
    const torch::Tensor storage = storage_of(*call.items[0], place);
    const std::int64_t offset = call.items[1]->integer;
    const std::vector<std::int64_t> shape = whole_numbers(*call.items[2], place);
    const std::vector<std::int64_t> strides = whole_numbers(*call.items[3], place);
    if (shape.size() != strides.size() || shape.size() > kMostDimensions) {
      throw DataError(place, std::format("has a shape of {} and strides of {} numbers", shape.size(), strides.size()));
    }
    const bool empty = std::ranges::count(shape, 0) > 0;
    std::int64_t elements = 1, last = offset;  // last: the element that lies furthest back
    bool fits = true;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::int64_t size = std::max<std::int64_t>(shape[i], 1);  // of an empty tensor, the rest is checked alike
      std::int64_t reach = 0;
      fits = fits && !__builtin_mul_overflow(elements, size, &elements) &&
             !__builtin_mul_overflow(size - 1, strides[i], &reach) && !__builtin_add_overflow(last, reach, &last);
    }
    // No element may count twice either: a tensor of any size could be made of one.
    fits = fits && (empty || (last < storage.numel() && elements <= storage.numel()));
    if (!fits) throw DataError(place, "reaches beyond its storage");
    const torch::Tensor tensor =
        empty ? torch::empty(shape, storage.options()) : storage.as_strided(shape, strides, offset);
    if (!tensors_.emplace(name, tensor).second) throw DataError(place, "is in the archive twice");
  }

  // id: "storage", its type, its entry's name, the device it was on, its number of elements.
  torch::Tensor storage_of(const PickleValue& id, const std::string& place) {
    if (id.items.size() != 5 || id.items[0]->kind != PickleKind::text || id.items[0]->text != "storage" ||
        id.items[1]->kind != PickleKind::global || id.items[2]->kind != PickleKind::text ||
        id.items[4]->kind != PickleKind::integer || id.items[4]->integer < 0) {
      throw DataError(place, "does not say where its numbers are");
    }
    const auto known = std::ranges::find(kStorages, id.items[1]->text, &StorageName::name);
    if (known == kStorages.end()) throw DataError(place, std::format("has its numbers in a \"{}\"", id.items[1]->text));
    const std::string entry = root_ + "data/" + id.items[2]->text;
    const std::int64_t count = id.items[4]->integer;
    if (const auto found = storages_.find(entry); found != storages_.end()) {
      if (found->second.scalar_type() != known->type || found->second.numel() != count) {
        throw DataError(place, std::format("does not agree with another tensor about entry \"{}\"", entry));
      }
      return found->second;
    }
    const auto in_file = zip_.entries().find(entry);
    if (in_file == zip_.entries().end()) throw DataError(place, std::format("wants the missing entry \"{}\"", entry));
    // Before anything of that size is allocated.
    const auto width = static_cast<std::int64_t>(torch::elementSize(known->type));
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(count, width, &bytes) || static_cast<std::uint64_t>(bytes) != in_file->second.size) {
      throw DataError(place, std::format("wants {} numbers of {} bytes, entry \"{}\" has {} bytes", count, width, entry,
                                         in_file->second.size));
    }
    torch::Tensor storage = torch::empty({count}, known->type);
    const std::span<std::byte> target(static_cast<std::byte*>(storage.data_ptr()), static_cast<std::size_t>(bytes));
    zip_.read(entry, target);
    if (known->type == torch::kBool && std::ranges::any_of(target, [](std::byte b) { return b > std::byte{1}; })) {
      throw DataError(place, "holds truth values other than 0 and 1");
    }
    return storages_.emplace(entry, storage).first->second;
  }

  std::string file_;
  ZipArchive zip_;
  std::string root_;
  TensorMap storages_;  // one-dimensional, by entry
  TensorMap tensors_;
  std::size_t visited_ = 0;
};

}  // namespace

TensorMap load_pytorch_archive(const std::filesystem::path& path) {
  if (!begins_as_zip(path)) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw DataError(path.string(), "cannot be opened");
    if (stream.get() == 0x80) {  // a bare pickle
      throw DataError(path.string(), "is in the form that PyTorch wrote before release 1.6",
                      "load it with PyTorch and save it again, or as safetensors");
    }
    throw DataError(path.string(), "is no archive of PyTorch");
  }
  return ArchiveReader(path).read();
}

TensorMap load_tensor_file(const std::filesystem::path& path) {
  return begins_as_zip(path) ? load_pytorch_archive(path) : load_safetensors(path).tensors;
}

}  // namespace terragen::tensor
