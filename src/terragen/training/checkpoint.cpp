#include "terragen/training/checkpoint.h"

#include <algorithm>
#include <format>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/error.h"
#include "terragen/models/model_io.h"
#include "terragen/tensor/safetensors.h"
#include "terragen/training/trained_parameters.h"

namespace terragen::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "checkpoint-";

std::vector<fs::path> checkpoints_of(const fs::path& run) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && fs::exists(entry.path() / "state.json")) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

tensor::TensorMap optimiser_tensors(const torch::nn::Module& module, torch::optim::AdamW& optimiser) {
  tensor::TensorMap tensors;
  auto& states = optimiser.state();
  for (const auto& [name, value] : trained_parameters(module)) {
    const auto found = states.find(value.unsafeGetTensorImpl());
    if (found == states.end()) continue;
    const auto& state = static_cast<const torch::optim::AdamWParamState&>(*found->second);
    tensors[name + ".exp_avg"] = state.exp_avg();
    tensors[name + ".exp_avg_sq"] = state.exp_avg_sq();
    tensors[name + ".step"] = torch::tensor(state.step(), torch::kInt64);
  }
  return tensors;
}

void restore_optimiser(const torch::nn::Module& module, const tensor::TensorMap& tensors, const fs::path& place,
                       torch::optim::AdamW& optimiser) {
  for (const auto& [name, value] : trained_parameters(module)) {
    const auto average = tensors.find(name + ".exp_avg");
    const auto square = tensors.find(name + ".exp_avg_sq");
    const auto step = tensors.find(name + ".step");
    if (average == tensors.end()) continue;  // a parameter that had no gradient yet
    if (square == tensors.end() || step == tensors.end() || average->second.sizes() != value.sizes() ||
        square->second.sizes() != value.sizes() || step->second.numel() != 1) {
      throw DataError(place.string(), std::format("optimiser state of \"{}\" does not fit the model", name));
    }
    auto state = std::make_unique<torch::optim::AdamWParamState>();
    state->exp_avg(average->second.to(value.device()).clone());
    state->exp_avg_sq(square->second.to(value.device()).clone());
    state->step(step->second.item<std::int64_t>());
    optimiser.state()[value.unsafeGetTensorImpl()] = std::move(state);
  }
}

// What a checkpoint keeps of a module: trained parameters and buffers.
tensor::TensorMap without_frozen(const torch::nn::Module& module) {
  tensor::TensorMap kept = models::collect_parameters(module);
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) kept.erase(item.key());
  }
  return kept;
}

// The inverse: what is frozen comes from the module itself.
tensor::TensorMap with_frozen(tensor::TensorMap kept, const torch::nn::Module& module) {
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) kept.emplace(item.key(), item.value().detach());
  }
  return kept;
}

void check_settings(const Json& stored, const Json& expected) {
  for (const auto& [key, value] : expected.items()) {
    if (!stored.contains(key) || stored.at(key) != value) {
      throw RequestError(std::format("the run was started with {} = {}, now it is {}", key,
                                     stored.contains(key) ? stored.at(key).dump() : "nothing", value.dump()),
                         "resume with the same settings, or start a new run in another folder");
    }
  }
}

}  // namespace

void save_checkpoint(const fs::path& run, const CheckpointState& state, torch::nn::Module& module, const Ema& ema,
                     torch::optim::AdamW& optimiser, int keep) {
  AtomicFolder folder(run / std::format("{}{:08}", kPrefix, state.step), true);
  tensor::save_safetensors(folder.path() / "model.safetensors", without_frozen(module), {});
  tensor::save_safetensors(folder.path() / "ema.safetensors", ema.averages(), {});
  tensor::save_safetensors(folder.path() / "optimiser.safetensors", optimiser_tensors(module, optimiser), {});
  write_json(folder.path() / "state.json", {{"format_version", 1},
                                            {"step", state.step},
                                            {"loader_position", state.step},
                                            {"random_state", {{"seed", state.seed}, {"stream", state.step}}},
                                            {"settings", state.settings}});
  folder.commit();
  std::vector<fs::path> all = checkpoints_of(run);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) {
    std::error_code ignored;
    fs::remove_all(all[i], ignored);
  }
}

void remove_unfinished_checkpoints(const fs::path& run) {
  std::error_code error;
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(run, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(std::string(".") + kPrefix)) unfinished.push_back(entry.path());
  }
  for (const fs::path& path : unfinished) fs::remove_all(path, error);
}

std::optional<fs::path> newest_checkpoint(const fs::path& run) {
  const std::vector<fs::path> all = checkpoints_of(run);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

CheckpointState load_checkpoint(const fs::path& checkpoint, const Json& expected_settings, torch::nn::Module& module,
                                Ema& ema, torch::optim::AdamW& optimiser) {
  const fs::path state_file = checkpoint / "state.json";
  const Json json = read_json(state_file);
  CheckpointState state;
  state.step = json_member<std::int64_t>(json, "step", state_file.string());
  state.seed = json_member<std::uint64_t>(json_member<Json>(json, "random_state", state_file.string()), "seed",
                                          state_file.string());
  state.settings = json_member<Json>(json, "settings", state_file.string());
  check_settings(state.settings, expected_settings);
  const tensor::TensorMap weights =
      with_frozen(tensor::load_safetensors(checkpoint / "model.safetensors").tensors, module);
  if (!ema.averages().empty()) {
    // The averages pass through the module, which checks every name and shape of them too; buffers have none.
    tensor::TensorMap averages = with_frozen(tensor::load_safetensors(checkpoint / "ema.safetensors").tensors, module);
    for (const auto& item : module.named_buffers()) {
      if (const auto found = weights.find(item.key()); found != weights.end()) averages.insert(*found);
    }
    models::load_parameters(module, averages);
    ema.restore(models::collect_parameters(module));
  }
  models::load_parameters(module, weights);
  restore_optimiser(module, tensor::load_safetensors(checkpoint / "optimiser.safetensors").tensors,
                    checkpoint / "optimiser.safetensors", optimiser);
  return state;
}

}  // namespace terragen::training
