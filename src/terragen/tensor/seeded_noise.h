// Noise that depends on its seed alone: not on the batch it stands in, the device or the number of threads.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace terragen::tensor {

// Standard normal, float32, on the CPU.
torch::Tensor seeded_normal(const std::vector<std::int64_t>& shape, std::uint64_t seed);
// Uniform in [0, 1), float32, on the CPU.
torch::Tensor seeded_uniform(const std::vector<std::int64_t>& shape, std::uint64_t seed);

}  // namespace terragen::tensor
