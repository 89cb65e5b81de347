#include "terragen/nn/bfloat16_weights.h"

namespace terragen::nn {

bool is_product(const torch::nn::Module& module) {
  return module.as<torch::nn::Linear>() != nullptr || module.as<torch::nn::Conv2d>() != nullptr;
}

torch::Tensor product_weight(const torch::Tensor& weight) {
  const torch::Tensor half = weight.to(torch::kBFloat16);
  return half.dim() == 4 ? half.contiguous(at::MemoryFormat::ChannelsLast) : half;
}

void keep_products_in_bfloat16(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& part : module.modules()) {
    if (!is_product(*part)) continue;
    for (auto& item : part->named_parameters(false)) item.value().set_data(product_weight(item.value()));
  }
}

}  // namespace terragen::nn
