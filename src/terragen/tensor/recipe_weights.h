// Weights for a network that come of the names of its tensors alone, so that two implementations can be given the same
// full-size network without a file. For tests only: the reference tensors 14_recipe_* were computed with them.
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "terragen/core/seed.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::test {

// Numbers in [-1, 1), float64, row by row: the upper 24 bits of SplitMix64 started from the FNV-1a hash of salt + name.
inline torch::Tensor recipe_numbers(const std::string& name, const std::vector<std::int64_t>& shape,
                                    const std::string& salt = {}) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : salt + name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  torch::Tensor numbers = torch::empty(shape, torch::kFloat64);
  auto* const value = numbers.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    value[i] = static_cast<double>(derive_seed(hash, static_cast<std::uint64_t>(i)) >> 40) / 8388608.0 - 1.0;
  }
  return numbers;
}

// The recipe's tensors for all of `like` (names and shapes of parameters and buffers), float32; whole numbers are
// copied. gain: of the weights with two or more dimensions, whose variance is gain^2 / (inputs of one output).
inline tensor::TensorMap recipe_weights(const tensor::TensorMap& like, double gain, const std::string& salt = {}) {
  tensor::TensorMap weights;
  for (const auto& [name, shaped] : like) {
    if (!shaped.is_floating_point()) {
      weights[name] = shaped.clone();
      continue;
    }
    const torch::Tensor numbers = recipe_numbers(name, shaped.sizes().vec(), salt);
    torch::Tensor value;
    if (name.ends_with("running_var")) {
      value = 1.0 + 0.25 * numbers;
    } else if (name.ends_with("running_mean")) {
      value = 0.1 * numbers;
    } else if (shaped.dim() >= 2) {
      const double inputs = static_cast<double>(shaped.numel()) / static_cast<double>(shaped.size(0));
      value = numbers * (std::sqrt(3.0 / inputs) * gain);
    } else if (shaped.dim() == 1 && name.ends_with("weight")) {
      value = 1.0 + 0.1 * numbers;
    } else {
      value = 0.05 * numbers;
    }
    weights[name] = value.to(torch::kFloat32);
  }
  return weights;
}

}  // namespace terragen::test
