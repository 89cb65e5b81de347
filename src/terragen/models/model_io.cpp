#include "terragen/models/model_io.h"

#include <format>
#include <sstream>

#include "terragen/core/error.h"
#include "terragen/nn/bfloat16_weights.h"

namespace terragen::models {
namespace {

std::string text_of(torch::IntArrayRef sizes) {
  std::ostringstream stream;
  stream << sizes;
  return stream.str();
}

// The module's own tensors, once all of `tensors` are known to fit them.
tensor::TensorMap checked(const torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place) {
  tensor::TensorMap own = collect_parameters(module);
  for (const auto& [name, value] : tensors) {
    const auto found = own.find(name);
    if (found == own.end()) throw DataError(place, std::format("tensor \"{}\" is not known to the model", name));
    if (found->second.sizes() != value.sizes()) {
      throw DataError(place, std::format("tensor \"{}\" has shape {}, the model needs {}", name, text_of(value.sizes()),
                                         text_of(found->second.sizes())));
    }
    if (found->second.is_floating_point() && !value.is_floating_point()) {
      throw DataError(place, std::format("tensor \"{}\" holds whole numbers, the model needs real ones", name));
    }
  }
  for (const auto& [name, value] : own) {
    if (!tensors.contains(name)) throw DataError(place, std::format("tensor \"{}\" is missing", name));
  }
  return own;
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
  for (auto& [name, value] : checked(module, tensors, place)) value.copy_(tensors.at(name));
}

void adopt_parameters(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place) {
  const torch::NoGradGuard no_grad;
  checked(module, tensors, place);
  const auto adopt = [&](const std::string& name, torch::Tensor& own) {
    const torch::Tensor& given = tensors.at(name);
    if (given.scalar_type() == own.scalar_type() && given.device() == own.device() && given.is_contiguous()) {
      own.set_data(given);
    } else {
      own.copy_(given);
    }
  };
  for (auto& item : module.named_parameters()) adopt(item.key(), item.value());
  for (auto& item : module.named_buffers()) adopt(item.key(), item.value());
}

void adopt_in_bfloat16(torch::nn::Module& module, const tensor::TensorMap& tensors, const std::string& place) {
  const torch::NoGradGuard no_grad;
  checked(module, tensors, place);
  for (const auto& part : module.named_modules()) {
    const bool product = nn::is_product(*part.value());
    const auto adopt = [&](const std::string& name, torch::Tensor& own) {
      const torch::Tensor& given = tensors.at(part.key().empty() ? name : part.key() + "." + name);
      if (!given.is_floating_point()) {
        own.set_data(given.clone());
      } else {
        own.set_data(product ? nn::product_weight(given) : given.to(torch::kFloat32));
      }
    };
    for (auto& item : part.value()->named_parameters(false)) adopt(item.key(), item.value());
    for (auto& item : part.value()->named_buffers(false)) adopt(item.key(), item.value());
  }
}

}  // namespace terragen::models
