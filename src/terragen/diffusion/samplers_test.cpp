// What holds for every sampler, whatever the reference tensors cover.
#include <gtest/gtest.h>

#include "terragen/diffusion/dpm_solver_sampler.h"
#include "terragen/diffusion/sampling_loop.h"

namespace terragen::diffusion {
namespace {

// Karras' steps that end at sigma_min close with a step of no length, which must not divide by it.
TEST(DpmSolver, AStepWithoutLengthChangesNothing) {
  for (const char* solver : {"midpoint", "heun"}) {
    for (const std::int64_t order : {2, 3}) {
      SchedulerConfig config;
      config.use_karras_sigmas = true;
      config.final_sigmas_type = "sigma_min";
      config.solver_type = solver;
      config.solver_order = order;
      DpmSolverSampler sampler(config, 20);
      torch::Tensor seen;
      const torch::Tensor end = sample(
          sampler,
          [&](const torch::Tensor& x, std::int64_t) {
            seen = x;
            return 0.1 * x;
          },
          torch::ones({1, 1, 2, 2}));
      EXPECT_TRUE(end.isfinite().all().item<bool>()) << solver << " order " << order;
      EXPECT_TRUE(torch::equal(end, seen)) << solver << " order " << order;
    }
  }
}

}  // namespace
}  // namespace terragen::diffusion
