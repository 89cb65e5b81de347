// A golden case's tensors, and how far ours are from them. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "terragen/core/json_file.h"
#include "terragen/nn/relative_error.h"
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

// Compares every output of the case with ours of that name; gives the worst relative error.
inline double worst_error(const std::map<std::string, torch::Tensor>& ours, const GoldenCase& golden,
                          double tolerance) {
  double worst = 0;
  for (const auto& [name, expected] : golden.outputs) {
    const auto found = ours.find(name);
    if (found == ours.end()) {
      ADD_FAILURE() << "nothing compares " << name;
      continue;
    }
    const double error = relative_error(found->second, expected);
    worst = std::max(worst, error);
    EXPECT_LT(error, tolerance) << name;
  }
  return worst;
}

}  // namespace terragen::test
