#include "terragen/diffusion/sampler.h"

#include <format>

#include "terragen/core/comma_list.h"
#include "terragen/core/error.h"
#include "terragen/diffusion/ddim_sampler.h"
#include "terragen/diffusion/ddpm_sampler.h"
#include "terragen/diffusion/dpm_solver_sampler.h"
#include "terragen/diffusion/euler_ancestral_sampler.h"
#include "terragen/diffusion/euler_sampler.h"
#include "terragen/diffusion/flow_match_sampler.h"
#include "terragen/diffusion/heun_sampler.h"
#include "terragen/diffusion/lcm_sampler.h"
#include "terragen/diffusion/lms_sampler.h"
#include "terragen/diffusion/pndm_sampler.h"
#include "terragen/diffusion/unipc_sampler.h"

namespace terragen::diffusion {
namespace {

struct SamplerName {
  const char* name;
  const char* class_name;
};
constexpr SamplerName kSamplerNames[] = {{"ddim", "DDIMScheduler"},
                                         {"ddpm", "DDPMScheduler"},
                                         {"dpm++", "DPMSolverMultistepScheduler"},
                                         {"dpm++sde", "DPMSolverMultistepScheduler"},
                                         {"euler", "EulerDiscreteScheduler"},
                                         {"euler-a", "EulerAncestralDiscreteScheduler"},
                                         {"heun", "HeunDiscreteScheduler"},
                                         {"lms", "LMSDiscreteScheduler"},
                                         {"pndm", "PNDMScheduler"},
                                         {"unipc", "UniPCMultistepScheduler"}};

}  // namespace

torch::Tensor Sampler::noised(const torch::Tensor& x0, const torch::Tensor& noise, std::size_t index) const {
  const NoiseLevel at = level(index);
  return at.signal * x0 + at.noise * noise;
}

std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& config, std::int64_t steps, double eta) {
  config.validate();
  const std::string& kind = config.class_name;
  if (kind == "DDIMScheduler") return std::make_unique<DdimSampler>(config, steps, eta);
  if (eta != 0) throw RequestError("eta is a setting of DDIM alone");
  if (kind == "DDPMScheduler") return std::make_unique<DdpmSampler>(config, steps);
  if (kind == "EulerDiscreteScheduler") return std::make_unique<EulerSampler>(config, steps);
  if (kind == "EulerAncestralDiscreteScheduler") return std::make_unique<EulerAncestralSampler>(config, steps);
  if (kind == "HeunDiscreteScheduler") return std::make_unique<HeunSampler>(config, steps);
  if (kind == "LMSDiscreteScheduler") return std::make_unique<LmsSampler>(config, steps);
  if (kind == "PNDMScheduler") return std::make_unique<PndmSampler>(config, steps);
  if (kind == "UniPCMultistepScheduler") return std::make_unique<UniPcSampler>(config, steps);
  if (kind == "LCMScheduler") return std::make_unique<LcmSampler>(config, steps);
  if (kind == "FlowMatchEulerDiscreteScheduler") return std::make_unique<FlowMatchSampler>(config, steps);
  return std::make_unique<DpmSolverSampler>(config, steps);
}

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const SamplerName& known : kSamplerNames) all.emplace_back(known.name);
    return all;
  }();
  return names;
}

SchedulerConfig with_sampler(SchedulerConfig config, const std::string& name) {
  for (const SamplerName& known : kSamplerNames) {
    if (name != known.name) continue;
    const std::string before = config.class_name;
    config.class_name = known.class_name;
    // The two kinds of solver read one key in different words.
    if (config.class_name != before) config.solver_type.clear();
    if (name == "dpm++") config.algorithm_type = "dpmsolver++";
    if (name == "dpm++sde") config.algorithm_type = "sde-dpmsolver++";
    if (name == "pndm") config.skip_prk_steps = true;
    return config;
  }
  throw RequestError(std::format("sampler \"{}\" is not known", name), "choose one of " + comma_list(sampler_names()));
}

}  // namespace terragen::diffusion
