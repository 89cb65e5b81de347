// Samplers whose sample is x0 + sigma noise, so that its size grows with the noise (Karras et al. 2022,
// arXiv 2206.00364). The network still sees it at the size it was trained with.
#pragma once

#include "terragen/diffusion/sampler.h"
#include "terragen/diffusion/sigma_grid.h"

namespace terragen::diffusion {

class SigmaSampler : public Sampler {
 public:
  const std::vector<double>& timesteps() const override { return grid_.timesteps; }
  // One more than time steps, the last is where the run ends.
  const std::vector<float>& sigmas() const { return grid_.sigmas; }
  NoiseLevel level(std::size_t index) const override { return {1.0, sigma(index)}; }
  double initial_scale() const override;
  torch::Tensor network_input(const torch::Tensor& sample, std::size_t index) const override;

 protected:
  SigmaSampler(const SchedulerConfig& config, SigmaGrid grid);
  double sigma(std::size_t index) const { return static_cast<double>(grid_.sigmas.at(index)); }
  // The clean sample that follows from what the network says at a sigma.
  torch::Tensor original(const torch::Tensor& model_output, const torch::Tensor& sample, double sigma) const;

  SchedulerConfig config_;

 private:
  SigmaGrid grid_;
};

}  // namespace terragen::diffusion
