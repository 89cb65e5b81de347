// What of a task's module is trained: the rest is frozen, and neither averaged nor kept in checkpoints.
#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

namespace terragen::training {

// Parameters that ask for a gradient, in the module's order.
std::vector<std::pair<std::string, torch::Tensor>> trained_parameters(const torch::nn::Module& module);

}  // namespace terragen::training
