#include "terragen/models/model_io.h"

#include <format>
#include <sstream>

#include "terragen/core/error.h"

namespace terragen::models {
namespace {

std::string text_of(torch::IntArrayRef sizes) {
  std::ostringstream stream;
  stream << sizes;
  return stream.str();
}

}  // namespace

tensor::TensorMap collect_parameters(const torch::nn::Module& module) {
  tensor::TensorMap tensors;
  for (const auto& item : module.named_parameters()) tensors[item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) tensors[item.key()] = item.value().detach();
  return tensors;
}

void load_parameters(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place) {
  const torch::NoGradGuard no_grad;
  tensor::TensorMap own = collect_parameters(module);
  for (const auto& [name, value] : tensors) {
    const auto found = own.find(name);
    if (found == own.end()) throw DataError(place, std::format("tensor \"{}\" is not known to the model", name));
    if (found->second.sizes() != value.sizes()) {
      throw DataError(place, std::format("tensor \"{}\" has shape {}, the model needs {}", name, text_of(value.sizes()),
                                         text_of(found->second.sizes())));
    }
  }
  for (const auto& [name, value] : own) {
    if (!tensors.contains(name)) throw DataError(place, std::format("tensor \"{}\" is missing", name));
  }
  for (auto& [name, value] : own) value.copy_(tensors.at(name));
}

}  // namespace terragen::models
