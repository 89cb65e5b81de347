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

// As load_parameters, but a tensor of the parameter's own number type becomes the parameter instead of being copied, so
// that mapped weights are in memory once. The tensors are the module's from then on.
void adopt_parameters(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place);

// As adopt_parameters for a network that is only run in bfloat16, see nn::keep_products_in_bfloat16: weights of
// products become bfloat16, all else float32.
void adopt_in_bfloat16(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place);

}  // namespace terragen::models
