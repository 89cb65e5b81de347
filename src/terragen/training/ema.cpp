#include "terragen/training/ema.h"

#include <algorithm>

#include "terragen/training/trained_parameters.h"

namespace terragen::training {

Ema::Ema(std::shared_ptr<torch::nn::Module> module, double decay) : module_(std::move(module)), decay_(decay) {
  if (decay_ == 0) return;
  for (const auto& [name, value] : trained_parameters(*module_)) averages_[name] = value.detach().clone();
}

void Ema::update(std::int64_t step) {
  const torch::NoGradGuard no_grad;
  const double early = (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step));
  const double decay = std::min(decay_, early);
  if (averages_.empty()) return;
  for (const auto& [name, value] : trained_parameters(*module_)) averages_.at(name).lerp_(value.detach(), 1.0 - decay);
}

void Ema::restore(const tensor::TensorMap& averages) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, average] : averages_) average.copy_(averages.at(name));
}

void Ema::exchange() {
  const torch::NoGradGuard no_grad;
  if (averages_.empty()) return;
  for (const auto& [name, value] : trained_parameters(*module_)) {
    torch::Tensor& average = averages_.at(name);
    const torch::Tensor own = value.detach().clone();
    value.detach().copy_(average);
    average.copy_(own);
  }
}

Ema::Swapped::Swapped(Ema& ema) : ema_(ema) { ema_.exchange(); }
Ema::Swapped::~Swapped() { ema_.exchange(); }

}  // namespace terragen::training
