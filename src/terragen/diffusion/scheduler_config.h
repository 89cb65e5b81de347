// Settings of schedule and sampler with diffusers' keys (scheduler_config.json).
#pragma once

#include <string>

#include "terragen/core/json_file.h"

namespace terragen::diffusion {

struct SchedulerConfig {
  std::string class_name = "DDIMScheduler";  // or "DDPMScheduler" (DDIM with eta 1), "DPMSolverMultistepScheduler"
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.00085;
  double beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";  // "linear", "scaled_linear", "squaredcos_cap_v2"
  std::string prediction_type = "epsilon";      // "epsilon", "v_prediction", "sample"
  std::string timestep_spacing = "leading";     // "leading", "trailing", "linspace"
  std::int64_t steps_offset = 0;
  bool rescale_betas_zero_snr = false;
  // DDIM
  bool set_alpha_to_one = true;
  bool clip_sample = false;
  double clip_sample_range = 1.0;
  // DPM-Solver
  std::int64_t solver_order = 2;               // 1, 2, 3
  std::string algorithm_type = "dpmsolver++";  // "dpmsolver++", "dpmsolver", "sde-dpmsolver++"
  std::string solver_type = "midpoint";        // "midpoint", "heun"
  bool lower_order_final = true;
  bool euler_at_final = false;
  bool use_karras_sigmas = false;
  std::string final_sigmas_type = "zero";  // "zero", "sigma_min"

  // RequestError naming the key that cannot be.
  void validate() const;
};

Json to_json(const SchedulerConfig& config);
// Unknown keys of no effect are ignored, as diffusers does; DataError naming `place` and the key for a value that
// changes the result and is not offered here (thresholding, trained_betas, use_lu_lambdas, ...).
SchedulerConfig scheduler_config_from_json(const Json& value, const std::string& place);

}  // namespace terragen::diffusion
