// One interface for every sampler.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "terragen/diffusion/scheduler_config.h"

namespace terragen::diffusion {

// What a noisy sample is made of: signal * x0 + noise * standard normal noise.
struct NoiseLevel {
  double signal = 1;
  double noise = 0;
};

// Steps from noise to image. A sampler may remember earlier steps: one object serves one run.
class Sampler {
 public:
  Sampler() = default;
  virtual ~Sampler() = default;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // From noisy to clean, in training steps; some samplers stand between two of them.
  virtual const std::vector<double>& timesteps() const = 0;
  // Of the sample before step `index`.
  virtual NoiseLevel level(std::size_t index) const = 0;
  // What standard normal noise is multiplied with to begin a run at its first step.
  virtual double initial_scale() const { return 1.0; }
  // What the network is to see of the sample before step `index`.
  virtual torch::Tensor network_input(const torch::Tensor& sample, std::size_t) const { return sample; }
  // True where step `index` draws noise.
  virtual bool needs_noise(std::size_t) const { return false; }
  // True where a step looks back at earlier ones, so that a run cannot begin late.
  virtual bool remembers() const { return true; }
  // The sample after step `index`. model_output: what the network said of network_input(sample, index) at
  // timesteps()[index]; noise: like sample, used only where needs_noise. Call with index 0, 1, 2, ... once each.
  virtual torch::Tensor step(const torch::Tensor& model_output, std::size_t index, const torch::Tensor& sample,
                             const torch::Tensor& noise) = 0;

  // The clean x0 as noisy as the sample before step `index`. noise: standard normal, like x0.
  torch::Tensor noised(const torch::Tensor& x0, const torch::Tensor& noise, std::size_t index) const;
  // The clean sample as the last step predicted it; undefined where the sampler does not say.
  const torch::Tensor& predicted_original() const { return predicted_original_; }

 protected:
  torch::Tensor predicted_original_;
};

// The sampler that `config.class_name` names. `eta` is DDIM's share of fresh noise, refused by others when not 0.
std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& config, std::int64_t steps, double eta = 0.0);

// Short names of the samplers that walk a schedule of betas: "ddim", "ddpm", "dpm++", "dpm++sde", "euler", "euler-a",
// "heun", "lms", "pndm", "unipc".
const std::vector<std::string>& sampler_names();
// The same schedule under the sampler of that short name, at its own defaults. RequestError when it is not known.
SchedulerConfig with_sampler(SchedulerConfig config, const std::string& name);

}  // namespace terragen::diffusion
