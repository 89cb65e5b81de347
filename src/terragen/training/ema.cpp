#include "terragen/training/ema.h"

#include <algorithm>

namespace terragen::training {

Ema::Ema(std::shared_ptr<torch::nn::Module> module, double decay) : module_(std::move(module)), decay_(decay) {
  for (const auto& item : module_->named_parameters()) averages_[item.key()] = item.value().detach().clone();
}

void Ema::update(std::int64_t step) {
  const torch::NoGradGuard no_grad;
  const double early = (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step));
  const double decay = std::min(decay_, early);
  for (const auto& item : module_->named_parameters()) {
    averages_.at(item.key()).lerp_(item.value().detach(), 1.0 - decay);
  }
}

void Ema::restore(const tensor::TensorMap& averages) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, average] : averages_) average.copy_(averages.at(name));
}

void Ema::exchange() {
  const torch::NoGradGuard no_grad;
  for (const auto& item : module_->named_parameters()) {
    torch::Tensor& average = averages_.at(item.key());
    const torch::Tensor own = item.value().detach().clone();
    item.value().detach().copy_(average);
    average.copy_(own);
  }
}

Ema::Swapped::Swapped(Ema& ema) : ema_(ema) { ema_.exchange(); }
Ema::Swapped::~Swapped() { ema_.exchange(); }

}  // namespace terragen::training
