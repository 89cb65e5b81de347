#include "terragen/pretrained/lora.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>
#include <string>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/models/model_io.h"
#include "terragen/pretrained/lora_file.h"

namespace terragen::pretrained {
namespace {

// Every weight by the name of its module in either way of writing.
std::map<std::string, torch::Tensor> adaptable(const Checkpoint& model) {
  std::map<std::string, torch::Tensor> weights;
  const auto add = [&](const torch::nn::Module& part, const std::string& dotted, const std::string& flat) {
    const std::string ending = ".weight";
    for (const auto& [name, value] : models::collect_parameters(part)) {
      if (!name.ends_with(ending) || value.dim() < 2) continue;
      std::string path = name.substr(0, name.size() - ending.size());
      weights[dotted + path] = value;
      std::ranges::replace(path, '.', '_');
      weights[flat + path] = value;
    }
  };
  add(*model.unet, "unet.", "lora_unet_");
  add(*model.text_encoder, "text_encoder.", "lora_te_");
  return weights;
}

}  // namespace

std::size_t add_lora(Checkpoint& model, const std::filesystem::path& path, double scale) {
  const torch::NoGradGuard no_grad;
  const std::string place = path.string();
  if (!std::isfinite(scale)) throw RequestError(std::format("a LoRA cannot be added {} times", scale));
  const std::map<std::string, torch::Tensor> weights = adaptable(model);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> changes;
  for (const auto& [name, pair] : read_lora_file(path)) {
    const auto refuse = [&](const std::string& what) {
      throw DataError(place, std::format("tensor \"{}\" {}", name, what));
    };
    const auto weight = weights.find(name);
    if (weight == weights.end()) refuse("names no weight of the model");
    const torch::Tensor down = pair.down.to(torch::kFloat32).flatten(1);
    const torch::Tensor up = pair.up.to(torch::kFloat32).flatten(1);
    const torch::Tensor& target = weight->second;
    if (up.size(1) != down.size(0) || up.size(0) != target.size(0) || down.size(1) != target.numel() / target.size(0)) {
      refuse("is of a shape that does not fit the weight");
    }
    changes.emplace_back(target, torch::matmul(up, down).view(target.sizes()) * (scale * pair.scale));
  }
  for (auto& [target, change] : changes) target.add_(change.to(target.options()));
  return changes.size();
}

}  // namespace terragen::pretrained
