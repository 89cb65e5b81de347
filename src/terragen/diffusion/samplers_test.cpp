// What holds for every sampler, whatever the reference tensors cover.
#include <gtest/gtest.h>

#include "terragen/diffusion/dpm_solver_sampler.h"
#include "terragen/diffusion/sampler.h"
#include "terragen/diffusion/sampling_loop.h"
#include "terragen/tensor/seeded_noise.h"

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
          [&](const torch::Tensor& x, double) {
            seen = x;
            return 0.1 * x;
          },
          torch::ones({1, 1, 2, 2}));
      EXPECT_TRUE(end.isfinite().all().item<bool>()) << solver << " order " << order;
      EXPECT_TRUE(torch::equal(end, seen)) << solver << " order " << order;
    }
  }
}

// With zero terminal SNR the first step starts where no signal is left at all.
TEST(Samplers, StartFromPureNoiseAtAnyNumberOfSteps) {
  for (const std::string& name : sampler_names()) {
    SchedulerConfig config = with_sampler({}, name);
    config.prediction_type = "v_prediction";
    config.timestep_spacing = "trailing";
    config.rescale_betas_zero_snr = true;
    for (const std::int64_t steps : {1, 2, 3, 4, 5, 7, 8, 10, 20, 25, 50, 100}) {
      const auto sampler = make_sampler(config, steps);
      const torch::Tensor end = sample(
          *sampler, [](const torch::Tensor& x, double) { return -x; },
          torch::ones({1, 1, 2, 2}) * sampler->initial_scale(), [](std::size_t) { return torch::ones({1, 1, 2, 2}); });
      EXPECT_TRUE(end.isfinite().all().item<bool>()) << name << " in " << steps;
    }
  }
}

TEST(Guidance, GoesBeyondTheConditionAndGivesItsContrastBack) {
  const torch::Tensor null = tensor::seeded_normal({2, 3, 8, 8}, 1);
  const torch::Tensor told = null + tensor::seeded_normal({2, 3, 8, 8}, 2);
  EXPECT_TRUE(torch::allclose(guide(null, told, {}, 1.0, 0.0), told));
  const torch::Tensor guided = guide(null, told, {}, 3.0, 0.0);
  EXPECT_TRUE(torch::allclose(guided, null + 3 * (told - null)));
  const auto deviation = [](const torch::Tensor& x) { return x.flatten(1).std(1); };
  EXPECT_TRUE((deviation(guided) > 1.5 * deviation(told)).all().item<bool>());
  EXPECT_TRUE(torch::allclose(deviation(rescale_guidance(guided, told, 1.0)), deviation(told)));
  EXPECT_TRUE(torch::equal(rescale_guidance(guided, told, 0.0), guided));
  const torch::Tensor half = rescale_guidance(guided, told, 0.5);
  EXPECT_TRUE(torch::allclose(deviation(half), 0.5 * (deviation(told) + deviation(guided))));
}

}  // namespace
}  // namespace terragen::diffusion
