#include "terragen/diffusion/scheduler_config.h"

#include <algorithm>
#include <format>
#include <vector>

#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

void check_choice(const char* key, const std::string& value, const std::vector<std::string>& choices) {
  if (std::ranges::find(choices, value) == choices.end()) {
    throw RequestError(std::format("scheduler: {} is \"{}\", which is not offered", key, value));
  }
}

}  // namespace

void SchedulerConfig::validate() const {
  check_choice("_class_name", class_name, {"DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler"});
  check_choice("beta_schedule", beta_schedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  check_choice("prediction_type", prediction_type, {"epsilon", "v_prediction", "sample"});
  check_choice("timestep_spacing", timestep_spacing, {"leading", "trailing", "linspace"});
  check_choice("algorithm_type", algorithm_type, {"dpmsolver++", "dpmsolver", "sde-dpmsolver++"});
  check_choice("solver_type", solver_type, {"midpoint", "heun"});
  check_choice("final_sigmas_type", final_sigmas_type, {"zero", "sigma_min"});
  if (num_train_timesteps < 2) throw RequestError("scheduler: num_train_timesteps is below 2");
  if (solver_order < 1 || solver_order > 3)
    throw RequestError(std::format("scheduler: solver_order {} is not 1, 2 or 3", solver_order));
  if (algorithm_type == "dpmsolver" && final_sigmas_type == "zero") {
    throw RequestError("scheduler: algorithm_type dpmsolver needs final_sigmas_type sigma_min");
  }
  if (algorithm_type == "sde-dpmsolver++" && solver_order > 2) {
    throw RequestError("scheduler: algorithm_type sde-dpmsolver++ has no third order");
  }
}

Json to_json(const SchedulerConfig& c) {
  return {{"_class_name", c.class_name},
          {"num_train_timesteps", c.num_train_timesteps},
          {"beta_start", c.beta_start},
          {"beta_end", c.beta_end},
          {"beta_schedule", c.beta_schedule},
          {"prediction_type", c.prediction_type},
          {"timestep_spacing", c.timestep_spacing},
          {"steps_offset", c.steps_offset},
          {"rescale_betas_zero_snr", c.rescale_betas_zero_snr},
          {"set_alpha_to_one", c.set_alpha_to_one},
          {"clip_sample", c.clip_sample},
          {"clip_sample_range", c.clip_sample_range},
          {"solver_order", c.solver_order},
          {"algorithm_type", c.algorithm_type},
          {"solver_type", c.solver_type},
          {"lower_order_final", c.lower_order_final},
          {"euler_at_final", c.euler_at_final},
          {"use_karras_sigmas", c.use_karras_sigmas},
          {"final_sigmas_type", c.final_sigmas_type}};
}

SchedulerConfig scheduler_config_from_json(const Json& value, const std::string& place) {
  const auto refuse_unless = [&](const char* key, const std::vector<Json>& allowed) {
    if (!value.contains(key)) return;
    if (std::ranges::find(allowed, value.at(key)) == allowed.end()) {
      throw DataError(place, std::format("key \"{}\" is {}, which is not offered", key, value.at(key).dump()));
    }
  };
  refuse_unless("thresholding", {false, nullptr});
  refuse_unless("trained_betas", {nullptr});
  refuse_unless("use_lu_lambdas", {false, nullptr});
  refuse_unless("variance_type", {nullptr, "fixed_small"});
  refuse_unless("lambda_min_clipped", {nullptr, "-Infinity"});
  SchedulerConfig c;
  const auto read = [&]<class T>(const char* key, T& member) { member = json_member_or<T>(value, key, member, place); };
  read("_class_name", c.class_name);
  read("num_train_timesteps", c.num_train_timesteps);
  read("beta_start", c.beta_start);
  read("beta_end", c.beta_end);
  read("beta_schedule", c.beta_schedule);
  read("prediction_type", c.prediction_type);
  read("timestep_spacing", c.timestep_spacing);
  read("steps_offset", c.steps_offset);
  read("rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  read("set_alpha_to_one", c.set_alpha_to_one);
  read("clip_sample", c.clip_sample);
  read("clip_sample_range", c.clip_sample_range);
  read("solver_order", c.solver_order);
  read("algorithm_type", c.algorithm_type);
  read("solver_type", c.solver_type);
  read("lower_order_final", c.lower_order_final);
  read("euler_at_final", c.euler_at_final);
  read("use_karras_sigmas", c.use_karras_sigmas);
  read("final_sigmas_type", c.final_sigmas_type);
  try {
    c.validate();
  } catch (const RequestError& error) {
    throw DataError(place, error.what());
  }
  return c;
}

}  // namespace terragen::diffusion
