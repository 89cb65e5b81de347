#include "terragen/shards/shard_writer.h"

#include <cstring>
#include <format>

namespace terragen::shards {
namespace {

constexpr std::int64_t kFileBytes = 48 << 20;

torch::Tensor bytes_of(const void* data, std::size_t size) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(size)}, torch::kUInt8);
  std::memcpy(tensor.data_ptr(), data, size);
  return tensor;
}

}  // namespace

ShardWriter::ShardWriter(ShardSet set, std::filesystem::path folder)
    : set_(std::move(set)), folder_(std::move(folder)) {}

void ShardWriter::add(const std::string& split, const torch::Tensor& image, const torch::Tensor& valid,
                      const layout::Layout& layout, const std::string& source) {
  Open& open = open_[split];
  const std::string key = std::to_string(open.count);
  open.tensors[key + "/image"] = image.contiguous();
  if (valid.defined() && !valid.all().item<bool>()) open.tensors[key + "/valid"] = valid.contiguous();
  Json description = layout::layout_to_json(layout);
  description["source"] = source;
  const std::string text = description.dump();
  open.tensors[key + "/layout"] = bytes_of(text.data(), text.size());
  if (layout.mask) {
    open.tensors[key + "/mask"] = bytes_of(layout.mask->values.data(), layout.mask->values.size())
                                      .view({layout.mask->height, layout.mask->width});
  }
  ++open.count;
  open.bytes += static_cast<std::int64_t>(image.nbytes());
  if (open.bytes >= kFileBytes) flush(split);
}

void ShardWriter::flush(const std::string& split) {
  Open& open = open_[split];
  if (open.count == 0) return;
  const std::string name = std::format("{}-{:04}.safetensors", split, open.number);
  tensor::save_safetensors(folder_ / name, open.tensors, {});
  written_ += static_cast<std::int64_t>(std::filesystem::file_size(folder_ / name));
  set_.files.push_back({name, split, open.count});
  open = Open{.number = open.number + 1};
}

std::int64_t ShardWriter::finish() {
  for (auto& [split, open] : open_) flush(split);
  write_shard_set(set_, folder_);
  return written_;
}

}  // namespace terragen::shards
