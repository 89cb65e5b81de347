#include "terragen/diffusion/objective.h"

#include <gtest/gtest.h>

namespace terragen::diffusion {
namespace {

TEST(Objective, TheTargetLeadsBackToTheCleanSample) {
  torch::manual_seed(1);
  const NoiseSchedule schedule{SchedulerConfig{}};
  const torch::Tensor x0 = torch::randn({3, 2, 4, 4});
  const torch::Tensor noise = torch::randn({3, 2, 4, 4});
  const torch::Tensor t = torch::tensor({0, 400, 900}, torch::kInt64);
  const torch::Tensor x = schedule.add_noise(x0, noise, t);
  for (const char* prediction : {"epsilon", "v_prediction", "sample"}) {
    const torch::Tensor target = training_target(schedule, prediction, x0, noise, t);
    const torch::Tensor back = predicted_original(schedule, prediction, x, target, t);
    EXPECT_LT((back - x0).abs().max().item<double>(), 1e-4) << prediction;
  }
}

TEST(Objective, OnlyWeightedPlacesCount) {
  const torch::Tensor target = torch::zeros({2, 3, 2, 2});
  torch::Tensor output = torch::zeros({2, 3, 2, 2});
  output.select(2, 0).fill_(100.0);
  torch::Tensor weights = torch::ones({2, 1, 2, 2});
  weights.select(2, 0).zero_();
  weights[1].zero_();  // nothing of the second sample counts
  EXPECT_EQ(weighted_error(output, target, weights).abs().max().item<double>(), 0.0);
}

}  // namespace
}  // namespace terragen::diffusion
