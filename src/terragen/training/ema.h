// Exponential moving average of a module's parameters.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "terragen/tensor/safetensors.h"

namespace terragen::training {

class Ema {
 public:
  // Of the module's trained parameters. `decay` in [0, 1); early steps use min(decay, (1 + step) / (10 + step)), so
  // that the start is forgotten soon. With decay 0 the averages are the weights themselves, and nothing is kept of
  // them.
  Ema(std::shared_ptr<torch::nn::Module> module, double decay);
  // Call after optimiser step number `step` (from 0).
  void update(std::int64_t step);
  // Averages by parameter name, float32; with decay 0 none.
  const tensor::TensorMap& averages() const { return averages_; }
  // Replaces the averages; names and shapes must be the module's (checked when the checkpoint is read).
  void restore(const tensor::TensorMap& averages);

  // While alive the module holds the averages; afterwards its own weights again.
  class Swapped {
   public:
    explicit Swapped(Ema& ema);
    ~Swapped();
    Swapped(const Swapped&) = delete;
    Swapped& operator=(const Swapped&) = delete;

   private:
    Ema& ema_;
  };

 private:
  void exchange();
  std::shared_ptr<torch::nn::Module> module_;
  double decay_;
  tensor::TensorMap averages_;
};

}  // namespace terragen::training
