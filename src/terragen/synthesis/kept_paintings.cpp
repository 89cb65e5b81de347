#include "terragen/synthesis/kept_paintings.h"

#include <format>
#include <span>
#include <string>

#include "terragen/core/error.h"
#include "terragen/core/sha256.h"
#include "terragen/tensor/safetensors.h"
#include "terragen/tensor/safetensors_header.h"

namespace terragen::synthesis {
namespace {

void add_tensor(Sha256& hash, const char* name, const torch::Tensor& values) {
  if (!values.defined()) return;
  const torch::Tensor plain = values.to(torch::kFloat32).contiguous();
  const std::span all(plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel()));
  tensor::add_to_checksum(hash, name, "F32", plain.sizes().vec(), std::as_bytes(all));
}

std::string key_of(const Painter& painter, const std::vector<PaintRequest>& requests) {
  Json told{{"model", painter.model().hash}, {"options", to_json(painter.options())}, {"requests", Json::array()}};
  for (const PaintRequest& request : requests) {
    told["requests"].push_back({{"layout", layout::layout_to_json(request.layout)},
                                {"dense", request.layout.mask.has_value()},
                                {"seed", request.seed},
                                {"strength", request.strength}});
  }
  const std::string text = told.dump();
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  for (const PaintRequest& request : requests) {
    if (request.layout.mask) hash.update(std::as_bytes(std::span(request.layout.mask->values)));
    add_tensor(hash, "image", request.image);
    add_tensor(hash, "repaint", request.repaint);
    add_tensor(hash, "reference", request.reference);
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
