#include "terragen/training/trained_parameters.h"

namespace terragen::training {

std::vector<std::pair<std::string, torch::Tensor>> trained_parameters(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> trained;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) trained.emplace_back(item.key(), item.value());
  }
  return trained;
}

}  // namespace terragen::training
