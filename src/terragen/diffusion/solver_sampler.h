// What DPM-Solver and UniPC share: multistep methods in half the logarithm of the signal-to-noise ratio, lambda, on
// samples of the form alpha x0 + sigma noise.
#pragma once

#include <deque>

#include "terragen/diffusion/sampler.h"
#include "terragen/diffusion/sigma_grid.h"

namespace terragen::diffusion {

class SolverSampler : public Sampler {
 public:
  const std::vector<double>& timesteps() const override { return grid_.timesteps; }
  // One more than time steps, the last is where the run ends: sigma / alpha.
  const std::vector<float>& sigmas() const { return grid_.sigmas; }
  NoiseLevel level(std::size_t index) const override;

 protected:
  // Signal, noise and half log-SNR.
  struct Place {
    double alpha, sigma, lambda;
  };
  SolverSampler(const SchedulerConfig& config, std::int64_t steps);
  Place place(std::size_t index) const;
  // What the method works on, from what the network says: the clean sample, or the noise.
  torch::Tensor converted(const torch::Tensor& model_output, const torch::Tensor& sample, std::size_t index,
                          bool wants_original) const;

  SchedulerConfig config_;
  std::deque<torch::Tensor> outputs_;  // converted, newest first

 private:
  SigmaGrid grid_;
};

}  // namespace terragen::diffusion
