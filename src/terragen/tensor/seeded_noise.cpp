#include "terragen/tensor/seeded_noise.h"

#include <ATen/CPUGeneratorImpl.h>

namespace terragen::tensor {

torch::Tensor seeded_normal(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return torch::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), torch::kFloat32);
}

torch::Tensor seeded_uniform(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return torch::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed), torch::kFloat32);
}

}  // namespace terragen::tensor
