// Low-rank adaptation of a U-Net's attention (LoRA): how it is begun, taken into the weights, and written down.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "terragen/tensor/safetensors.h"

namespace terragen::models {

// Adapts to_q, to_k, to_v and to_out.0 of every attention under `module`. RequestError for a rank that is not positive.
void add_low_rank(torch::nn::Module& module, std::int64_t rank);
// `parameters` (see collect_parameters) with every adaptation added to the weight it adapts, under the names of a
// network that never had one.
tensor::TensorMap without_low_rank(tensor::TensorMap parameters);
// The adaptations alone, named as diffusers saves those of a U-Net: unet.PATH.lora_A.weight, unet.PATH.lora_B.weight.
// Empty where there are none. Their scale is 1.
tensor::TensorMap low_rank_of(const tensor::TensorMap& parameters);

}  // namespace terragen::models
