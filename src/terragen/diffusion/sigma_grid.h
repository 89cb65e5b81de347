// Which noise levels a sampler visits that thinks of a sample as x0 + sigma noise (times a factor).
#pragma once

#include <cstdint>
#include <vector>

#include "terragen/diffusion/noise_schedule.h"

namespace terragen::diffusion {

struct SigmaGrid {
  std::vector<double> timesteps;  // from noisy to clean, in training steps
  std::vector<float> sigmas;      // of every time step, and last where the run ends
};

// DPM-Solver's and UniPC's: whole training steps; Karras et al.'s levels span the whole schedule.
SigmaGrid solver_grid(const SchedulerConfig& config, std::int64_t steps);
// Euler's, Heun's and LMS's: also between training steps; Karras et al.'s levels span the spaced steps.
SigmaGrid exploding_grid(const SchedulerConfig& config, std::int64_t steps);

}  // namespace terragen::diffusion
