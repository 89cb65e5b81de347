// Settings of schedule and sampler with diffusers' keys (scheduler_config.json).
#pragma once

#include <string>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::diffusion {

struct SchedulerConfig {
  std::string class_name = "DDIMScheduler";  // diffusers' name of the sampler, see make_sampler
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.00085;
  double beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";  // "linear", "scaled_linear", "squaredcos_cap_v2"
  std::string prediction_type = "epsilon";      // "epsilon", "v_prediction", "sample"
  std::string timestep_spacing;  // "leading", "trailing", "linspace"; empty: the sampler's own, see spacing()
  std::int64_t steps_offset = 0;
  bool rescale_betas_zero_snr = false;
  // DDIM, DDPM, PNDM, LCM
  bool set_alpha_to_one = true;
  bool clip_sample = false;
  double clip_sample_range = 1.0;
  std::string variance_type = "fixed_small";   // DDPM: "fixed_small" ("fixed_small_log" is the same), "fixed_large"
  bool skip_prk_steps = true;                  // PNDM: without Runge-Kutta steps
  std::int64_t original_inference_steps = 50;  // LCM: those it was distilled on
  double timestep_scaling = 10.0;              // LCM
  double shift = 1.0;                          // flow matching
  // DPM-Solver and UniPC
  std::int64_t solver_order = 2;               // 1, 2, 3
  std::string algorithm_type = "dpmsolver++";  // DPM-Solver: "dpmsolver++", "dpmsolver", "sde-dpmsolver++"
  std::string solver_type;                     // "midpoint", "heun"; UniPC: "bh1", "bh2"; empty: "midpoint", "bh2"
  bool predict_x0 = true;                      // UniPC: works on the clean sample rather than on the noise
  bool lower_order_final = true;
  std::vector<std::int64_t> disable_corrector;  // UniPC: numbers of the steps that are not corrected
  bool euler_at_final = false;
  bool use_karras_sigmas = false;
  std::string final_sigmas_type = "zero";  // "zero", "sigma_min"

  // RequestError naming the key that cannot be.
  void validate() const;
  // timestep_spacing, or what diffusers takes for this class where nothing is said.
  std::string spacing() const;
};

Json to_json(const SchedulerConfig& config);
// What `value` leaves out is as diffusers has it for that class. Unknown keys of no effect are ignored; DataError
// naming `place` and the key for a value that changes the result and is not offered here (thresholding, trained_betas,
// use_lu_lambdas, ...).
SchedulerConfig scheduler_config_from_json(const Json& value, const std::string& place);

}  // namespace terragen::diffusion
