// How far our numbers are from a reference's. For tests only.
#pragma once

#include <torch/torch.h>

#include <algorithm>

namespace terragen::test {

// |ours - theirs| / |theirs| in the L2 norm; huge where they are not of one form.
inline double relative_error(const torch::Tensor& ours, const torch::Tensor& theirs) {
  if (ours.sizes() != theirs.sizes()) return 1e9;
  const torch::Tensor difference = ours.to(torch::kFloat64) - theirs.to(torch::kFloat64);
  return difference.norm().item<double>() / std::max(1e-12, theirs.to(torch::kFloat64).norm().item<double>());
}

}  // namespace terragen::test
