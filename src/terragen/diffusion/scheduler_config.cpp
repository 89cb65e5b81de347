#include "terragen/diffusion/scheduler_config.h"

#include <algorithm>
#include <format>
#include <vector>

#include "terragen/core/blame_file.h"
#include "terragen/core/error.h"

namespace terragen::diffusion {
namespace {

void check_choice(const char* key, const std::string& value, const std::vector<std::string>& choices) {
  if (std::ranges::find(choices, value) == choices.end()) {
    throw RequestError(std::format("scheduler: {} is \"{}\", which is not offered", key, value));
  }
}

// What diffusers takes where a config leaves a key out.
SchedulerConfig defaults_of(const std::string& class_name) {
  SchedulerConfig c{.class_name = class_name};
  if (class_name != "LCMScheduler") {
    c.beta_start = 0.0001;
    c.beta_end = 0.02;
    c.beta_schedule = "linear";
  }
  c.clip_sample = class_name == "DDIMScheduler" || class_name == "DDPMScheduler";
  if (class_name == "PNDMScheduler") c.set_alpha_to_one = c.skip_prk_steps = false;
  return c;
}

}  // namespace

void SchedulerConfig::validate() const {
  check_choice("_class_name", class_name,
               {"DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler",
                "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler", "PNDMScheduler",
                "UniPCMultistepScheduler", "LCMScheduler", "FlowMatchEulerDiscreteScheduler"});
  check_choice("beta_schedule", beta_schedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  check_choice("prediction_type", prediction_type, {"epsilon", "v_prediction", "sample"});
  check_choice("timestep_spacing", timestep_spacing, {"", "leading", "trailing", "linspace"});
  check_choice("variance_type", variance_type, {"fixed_small", "fixed_small_log", "fixed_large"});
  check_choice("algorithm_type", algorithm_type, {"dpmsolver++", "dpmsolver", "sde-dpmsolver++"});
  check_choice("final_sigmas_type", final_sigmas_type, {"zero", "sigma_min"});
  if (num_train_timesteps < 2 || num_train_timesteps > 100000) {
    throw RequestError(std::format("scheduler: num_train_timesteps {} is not in 2..100000", num_train_timesteps));
  }
  if (original_inference_steps < 1 || original_inference_steps > num_train_timesteps) {
    throw RequestError("scheduler: original_inference_steps is not in 1..num_train_timesteps");
  }
  if (!(shift > 0)) throw RequestError("scheduler: shift is not positive");
  if (solver_order < 1 || solver_order > 3)
    throw RequestError(std::format("scheduler: solver_order {} is not 1, 2 or 3", solver_order));
  if (class_name == "PNDMScheduler" && prediction_type == "sample") {
    throw RequestError("scheduler: PNDM has no prediction_type sample");
  }
  if (class_name == "FlowMatchEulerDiscreteScheduler" && use_karras_sigmas) {
    throw RequestError("scheduler: flow matching has no use_karras_sigmas");
  }
  if (class_name == "UniPCMultistepScheduler") {
    check_choice("solver_type", solver_type, {"", "bh1", "bh2"});
    if (final_sigmas_type == "zero" && (!lower_order_final || !predict_x0)) {
      throw RequestError("scheduler: UniPC reaches sigma zero with lower_order_final and predict_x0 only");
    }
  }
  if (class_name != "DPMSolverMultistepScheduler") return;
  check_choice("solver_type", solver_type, {"", "midpoint", "heun"});
  if (algorithm_type == "dpmsolver" && final_sigmas_type == "zero") {
    throw RequestError("scheduler: algorithm_type dpmsolver needs final_sigmas_type sigma_min");
  }
  if (algorithm_type == "sde-dpmsolver++" && solver_order > 2) {
    throw RequestError("scheduler: algorithm_type sde-dpmsolver++ has no third order");
  }
}

std::string SchedulerConfig::spacing() const {
  if (!timestep_spacing.empty()) return timestep_spacing;
  const bool table = class_name == "DDIMScheduler" || class_name == "DDPMScheduler" || class_name == "PNDMScheduler" ||
                     class_name == "LCMScheduler";
  return table ? "leading" : "linspace";
}

Json to_json(const SchedulerConfig& c) {
  Json json = {{"_class_name", c.class_name},
               {"num_train_timesteps", c.num_train_timesteps},
               {"beta_start", c.beta_start},
               {"beta_end", c.beta_end},
               {"beta_schedule", c.beta_schedule},
               {"prediction_type", c.prediction_type},
               {"steps_offset", c.steps_offset},
               {"rescale_betas_zero_snr", c.rescale_betas_zero_snr},
               {"set_alpha_to_one", c.set_alpha_to_one},
               {"clip_sample", c.clip_sample},
               {"clip_sample_range", c.clip_sample_range},
               {"variance_type", c.variance_type},
               {"skip_prk_steps", c.skip_prk_steps},
               {"original_inference_steps", c.original_inference_steps},
               {"timestep_scaling", c.timestep_scaling},
               {"shift", c.shift},
               {"solver_order", c.solver_order},
               {"algorithm_type", c.algorithm_type},
               {"solver_type", c.solver_type},
               {"predict_x0", c.predict_x0},
               {"lower_order_final", c.lower_order_final},
               {"disable_corrector", c.disable_corrector},
               {"euler_at_final", c.euler_at_final},
               {"use_karras_sigmas", c.use_karras_sigmas},
               {"final_sigmas_type", c.final_sigmas_type}};
  if (!c.timestep_spacing.empty()) json["timestep_spacing"] = c.timestep_spacing;
  return json;
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
  refuse_unless("lambda_min_clipped", {nullptr, "-Infinity"});
  refuse_unless("use_exponential_sigmas", {false, nullptr});
  refuse_unless("use_beta_sigmas", {false, nullptr});
  refuse_unless("use_dynamic_shifting", {false, nullptr});
  refuse_unless("use_flow_sigmas", {false, nullptr});
  refuse_unless("shift_terminal", {nullptr});
  refuse_unless("interpolation_type", {"linear"});
  refuse_unless("timestep_type", {"discrete"});
  refuse_unless("sigma_min", {nullptr});
  refuse_unless("sigma_max", {nullptr});
  refuse_unless("solver_p", {nullptr});
  SchedulerConfig c = defaults_of(json_member_or<std::string>(value, "_class_name", "DDIMScheduler", place));
  const auto read = [&]<class T>(const char* key, T& member) {
    if (value.contains(key) && !value.at(key).is_null()) member = json_member<T>(value, key, place);
  };
  read("num_train_timesteps", c.num_train_timesteps);
  read("beta_start", c.beta_start);
  read("beta_end", c.beta_end);
  read("beta_schedule", c.beta_schedule);
  read("prediction_type", c.prediction_type);
  // What was no choice of anyone's does not bind another sampler.
  const Json untold = json_member_or<Json>(value, "_use_default_values", Json::array(), place);
  if (std::ranges::find(untold, Json("timestep_spacing")) == untold.end()) read("timestep_spacing", c.timestep_spacing);
  read("steps_offset", c.steps_offset);
  read("rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  read("set_alpha_to_one", c.set_alpha_to_one);
  read("clip_sample", c.clip_sample);
  read("clip_sample_range", c.clip_sample_range);
  read("variance_type", c.variance_type);
  read("skip_prk_steps", c.skip_prk_steps);
  read("original_inference_steps", c.original_inference_steps);
  read("timestep_scaling", c.timestep_scaling);
  read("shift", c.shift);
  read("solver_order", c.solver_order);
  read("algorithm_type", c.algorithm_type);
  read("solver_type", c.solver_type);
  read("predict_x0", c.predict_x0);
  read("lower_order_final", c.lower_order_final);
  read("disable_corrector", c.disable_corrector);
  read("euler_at_final", c.euler_at_final);
  read("use_karras_sigmas", c.use_karras_sigmas);
  read("final_sigmas_type", c.final_sigmas_type);
  blame_file(place, [&] { c.validate(); });
  return c;
}

}  // namespace terragen::diffusion
