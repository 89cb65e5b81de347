#include "terragen/models/low_rank.h"

#include <format>
#include <string>

#include "terragen/core/error.h"
#include "terragen/nn/low_rank_linear.h"

namespace terragen::models {
namespace {

const std::string kDown = ".lora_A.weight";
const std::string kUp = ".lora_B.weight";

}  // namespace

void add_low_rank(torch::nn::Module& module, std::int64_t rank) {
  if (rank < 1) throw RequestError(std::format("the rank of an adaptation is {}, it must be positive", rank));
  for (const auto& part : module.modules()) {
    if (auto* const linear = part->as<nn::LowRankLinear>()) linear->adapt(rank);
  }
}

tensor::TensorMap without_low_rank(tensor::TensorMap parameters) {
  const torch::NoGradGuard no_grad;
  for (auto item = parameters.begin(); item != parameters.end();) {
    if (!item->first.ends_with(kDown)) {
      ++item;
      continue;
    }
    const std::string path = item->first.substr(0, item->first.size() - kDown.size());
    const auto up = parameters.find(path + kUp);
    torch::Tensor& weight = parameters.at(path + ".weight");
    weight = weight + torch::matmul(up->second, item->second);
    parameters.erase(up);
    item = parameters.erase(item);
  }
  return parameters;
}

tensor::TensorMap low_rank_of(const tensor::TensorMap& parameters) {
  tensor::TensorMap found;
  for (const auto& [name, value] : parameters) {
    if (name.ends_with(kDown) || name.ends_with(kUp)) found["unet." + name] = value;
  }
  return found;
}

}  // namespace terragen::models
