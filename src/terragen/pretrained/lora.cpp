#include "terragen/pretrained/lora.h"

#include <algorithm>
#include <format>
#include <map>
#include <string>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/models/model_io.h"
#include "terragen/tensor/weight_files.h"

namespace terragen::pretrained {
namespace {

// What a file says of one weight. Undefined: nothing.
struct LoraPair {
  torch::Tensor down;  // [rank, in, ...]
  torch::Tensor up;    // [out, rank, ...]
  torch::Tensor alpha;
};

// What each ending of a name holds.
const std::vector<std::pair<std::string, torch::Tensor LoraPair::*>>& lora_endings() {
  static const std::vector<std::pair<std::string, torch::Tensor LoraPair::*>> endings = {
      {".lora_A.weight", &LoraPair::down},
      {".lora_B.weight", &LoraPair::up},
      {".lora.down.weight", &LoraPair::down},
      {".lora.up.weight", &LoraPair::up},
      {".lora_down.weight", &LoraPair::down},
      {".lora_up.weight", &LoraPair::up},
      {".alpha", &LoraPair::alpha}};
  return endings;
}

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
  std::map<std::string, LoraPair> pairs;
  for (const auto& [name, value] : tensor::map_weights(path)) {
    const auto ending =
        std::ranges::find_if(lora_endings(), [&](const auto& each) { return name.ends_with(each.first); });
    if (ending == lora_endings().end()) throw DataError(place, std::format("tensor \"{}\" is no part of a LoRA", name));
    pairs[name.substr(0, name.size() - ending->first.size())].*ending->second = value;
  }
  if (pairs.empty()) throw DataError(place, "holds no tensors");
  const std::map<std::string, torch::Tensor> weights = adaptable(model);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> changes;
  for (const auto& [name, pair] : pairs) {
    const auto refuse = [&](const std::string& what) {
      throw DataError(place, std::format("tensor \"{}\" {}", name, what));
    };
    const auto weight = weights.find(name);
    if (weight == weights.end()) refuse("names no weight of the model");
    if (!pair.down.defined() || !pair.up.defined()) refuse("has only one of its two halves");
    if (pair.alpha.defined() && pair.alpha.numel() != 1) refuse("has an alpha that is no single number");
    if (pair.down.dim() < 2 || pair.up.dim() < 2) refuse("is no matrix");
    const torch::Tensor down = pair.down.to(torch::kFloat32).flatten(1);
    const torch::Tensor up = pair.up.to(torch::kFloat32).flatten(1);
    const torch::Tensor& target = weight->second;
    if (up.size(1) != down.size(0) || up.size(0) != target.size(0) || down.size(1) != target.numel() / target.size(0)) {
      refuse("is of a shape that does not fit the weight");
    }
    const auto rank = static_cast<double>(down.size(0));
    const double alpha = pair.alpha.defined() ? pair.alpha.to(torch::kFloat64).item<double>() : rank;
    changes.emplace_back(target, torch::matmul(up, down).view(target.sizes()) * (scale * alpha / rank));
  }
  for (auto& [target, change] : changes) target.add_(change.to(target.options()));
  return changes.size();
}

}  // namespace terragen::pretrained
