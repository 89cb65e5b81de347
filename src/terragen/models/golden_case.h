// A golden case's tensors, and how far ours are from them. For tests only.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>

#include "terragen/core/json_file.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::test {

struct GoldenCase {
  explicit GoldenCase(const std::filesystem::path& folder) : config(read_json(folder / "config.json")) {
    read(folder / "inputs.safetensors", inputs);
    read(folder / "outputs.safetensors", outputs);
    read(folder / "weights.safetensors", weights);
  }
  // The weights whose names begin with `prefix`, without it.
  tensor::TensorMap part(const std::string& prefix) const {
    tensor::TensorMap found;
    for (const auto& [name, value] : weights) {
      if (name.starts_with(prefix)) found[name.substr(prefix.size())] = value;
    }
    return found;
  }
  Json config;
  tensor::TensorMap inputs, outputs, weights;

 private:
  static void read(const std::filesystem::path& path, tensor::TensorMap& tensors) {
    if (std::filesystem::exists(path)) tensors = tensor::load_safetensors(path).tensors;
  }
};

// |ours - theirs| / |theirs| in the L2 norm.
inline double relative_error(const torch::Tensor& ours, const torch::Tensor& theirs) {
  if (ours.sizes() != theirs.sizes()) return 1e9;
  const torch::Tensor difference = ours.to(torch::kFloat64) - theirs.to(torch::kFloat64);
  return difference.norm().item<double>() / std::max(1e-12, theirs.to(torch::kFloat64).norm().item<double>());
}

}  // namespace terragen::test
