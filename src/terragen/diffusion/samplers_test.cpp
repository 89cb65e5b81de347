// What holds for every sampler, whatever the reference tensors cover.
#include <gtest/gtest.h>

#include "terragen/core/error.h"
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

// With a network that is never wrong every step leads from its own level to the next one's.
TEST(Samplers, TrailingStepsLeadToTheNextOneAtAnyNumber) {
  const torch::Tensor x0 = tensor::seeded_normal({64}, 1), noise = tensor::seeded_normal({64}, 2);
  for (const std::int64_t steps : {1, 6, 7, 10, 15, 60, 400}) {
    const auto sampler = make_sampler({.class_name = "DDIMScheduler", .timestep_spacing = "trailing"}, steps);
    for (std::size_t i = 0; i < sampler->timesteps().size(); ++i) {
      const torch::Tensor after = sampler->step(noise, i, sampler->noised(x0, noise, i), {});
      const torch::Tensor due = i + 1 < sampler->timesteps().size() ? sampler->noised(x0, noise, i + 1) : x0;
      EXPECT_LE((after - due).abs().max().item<double>(), 2e-3) << steps << " steps, step " << i;
    }
  }
}

TEST(Samplers, AnothersSpacingIsNoChoice) {
  const auto under = [](const Json& config, const char* name) {
    return with_sampler(scheduler_config_from_json(config, "x"), name).spacing();
  };
  EXPECT_EQ(under({{"_class_name", "EulerDiscreteScheduler"}}, "ddim"), "leading");
  EXPECT_EQ(under({{"_class_name", "PNDMScheduler"}}, "dpm++"), "linspace");
  EXPECT_EQ(under({{"_class_name", "PNDMScheduler"}, {"timestep_spacing", "trailing"}}, "dpm++"), "trailing");
  EXPECT_EQ(under({{"_class_name", "DDIMScheduler"},
                   {"timestep_spacing", "leading"},
                   {"_use_default_values", {"timestep_spacing"}}},
                  "euler"),
            "linspace");
  EXPECT_THROW(make_sampler(scheduler_config_from_json(
                                {{"_class_name", "DPMSolverMultistepScheduler"}, {"timestep_spacing", "leading"}}, "x"),
                            1000),
               RequestError);
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
