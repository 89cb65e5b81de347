// Parameters by name between modules and tensor files.
#pragma once

#include <torch/torch.h>

#include <string>

#include "terragen/tensor/safetensors.h"

namespace terragen::models {

// Every parameter and buffer by its name, not copied.
tensor::TensorMap collect_parameters(const torch::nn::Module& module);
// Copies `tensors` into the module, converting number types. Strict: DataError naming the tensor when one is missing,
// unknown or of another shape; `place` names the file. Nothing is copied then.
void load_parameters(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place = "weights");

}  // namespace terragen::models
