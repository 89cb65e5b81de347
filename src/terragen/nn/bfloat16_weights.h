// Networks that are only run, in bfloat16, need not keep the weights of their products in anything else.
#pragma once

#include <torch/torch.h>

namespace terragen::nn {

// Whether `module` is a linear layer or a convolution: what runs in bfloat16 under autocast.
bool is_product(const torch::nn::Module& module);
// `weight` as a product takes it in bfloat16, in the order in memory that it is read in.
torch::Tensor product_weight(const torch::Tensor& weight);
// Keeps weights and biases of all products under `module` in bfloat16. Under autocast the network says what it said
// before, but for the order of sums, since autocast rounds them likewise at every call; this saves that work and half
// the memory. Without autocast it cannot be run any more, nor be trained.
void keep_products_in_bfloat16(torch::nn::Module& module);

}  // namespace terragen::nn
