#include "terragen/diffusion/sampler.h"

#include "terragen/core/error.h"
#include "terragen/diffusion/ddim_sampler.h"
#include "terragen/diffusion/dpm_solver_sampler.h"

namespace terragen::diffusion {

std::unique_ptr<Sampler> make_sampler(const SchedulerConfig& config, std::int64_t steps, double eta) {
  config.validate();
  if (config.class_name == "DDIMScheduler") return std::make_unique<DdimSampler>(config, steps, eta);
  if (config.class_name == "DDPMScheduler") return std::make_unique<DdimSampler>(config, steps, 1.0);
  if (eta != 0) throw RequestError("eta is a setting of DDIM alone");
  return std::make_unique<DpmSolverSampler>(config, steps);
}

}  // namespace terragen::diffusion
