// One interface for every sampler.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "terragen/diffusion/scheduler_config.h"

namespace terragen::diffusion {

// Steps from noise to image. A sampler may remember earlier steps: one object serves one run.
class Sampler {
 public:
  Sampler() = default;
  virtual ~Sampler() = default;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // From noisy to clean.
  virtual const std::vector<std::int64_t>& timesteps() const = 0;
  // True where step `index` draws noise.
  virtual bool needs_noise(std::size_t index) const = 0;
  // The sample after step `index`. model_output: what the network said at timesteps()[index]; noise: like sample,
  // used only where needs_noise. Call with index 0, 1, 2, ... once each.
  virtual torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                             const torch::Tensor& noise) = 0;
};

// The sampler that `config.class_name` names. `eta` is DDIM's share of fresh noise, refused by others when not 0.
std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& config, std::int64_t steps, double eta = 0.0);

}  // namespace terragen::diffusion
