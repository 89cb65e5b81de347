#include "terragen/synthesis/kept_paintings.h"

#include <format>
#include <span>
#include <string>

#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::synthesis {
namespace {

void add_text(Sha256& hash, const std::string& text) {
  hash.update(std::as_bytes(std::span(text)));
  hash.update(std::as_bytes(std::span("", 1)));  // an end that no text holds
}

void add_tensor(Sha256& hash, const torch::Tensor& tensor) {
  if (!tensor.defined()) return add_text(hash, "none");
  const torch::Tensor values = tensor.to(torch::kFloat32).contiguous();
  std::string shape;
  for (const std::int64_t size : values.sizes()) shape += std::format("{},", size);
  add_text(hash, shape);
  hash.update(std::as_bytes(std::span(values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel()))));
}

std::string key_of(const Painter& painter, const std::vector<PaintRequest>& requests) {
  Sha256 hash;
  add_text(hash, painter.model().hash);
  add_text(hash, to_json(painter.options()).dump());
  for (const PaintRequest& request : requests) {
    add_text(hash, layout::layout_to_json(request.layout).dump());
    if (request.layout.mask) hash.update(std::as_bytes(std::span(request.layout.mask->values)));
    add_text(hash, std::format("{} {}", request.seed, request.strength));
    for (const torch::Tensor& tensor : {request.image, request.repaint, request.reference}) add_tensor(hash, tensor);
  }
  return hash.hex();
}

std::string name_of(std::size_t request) { return std::format("{:04}", request); }

}  // namespace

std::vector<torch::Tensor> paint_or_find(Painter& painter, const std::vector<PaintRequest>& requests,
                                         const std::filesystem::path& folder) {
  std::vector<torch::Tensor> painted(requests.size());
  if (requests.empty()) return painted;
  std::filesystem::path file;
  if (!folder.empty()) file = folder / (key_of(painter, requests) + ".safetensors");
  if (!file.empty() && std::filesystem::exists(file)) {
    const tensor::TensorMap kept = tensor::load_safetensors(file, tensor::Checksum::required).tensors;
    for (std::size_t i = 0; i < painted.size(); ++i) {
      const auto found = kept.find(name_of(i));
      if (found == kept.end()) throw DataError(file.string(), std::format("lacks the painting {}", name_of(i)));
      painted[i] = found->second;
    }
    return painted;
  }
  painter.paint(requests, [&](std::size_t i, const torch::Tensor& image) { painted[i] = image; });
  if (!file.empty()) {
    std::filesystem::create_directories(folder);
    tensor::TensorMap kept;
    for (std::size_t i = 0; i < painted.size(); ++i) kept[name_of(i)] = painted[i];
    tensor::save_safetensors(file, kept);
  }
  return painted;
}

}  // namespace terragen::synthesis
