#include "terragen/training/adversarial_term.h"

#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

models::UNet2DConditionModel small_unet() {
  models::UNetConfig config;
  config.in_channels = 9;
  config.out_channels = 4;
  config.block_out_channels = {16, 32};
  config.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  config.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  config.attention_head_dim = {1, 1};
  config.layers_per_block = 1;
  config.cross_attention_dim = 0;
  config.norm_num_groups = 8;
  config.layout_channels = {8, 8};
  return models::UNet2DConditionModel(config);
}

struct Fixture {
  diffusion::NoiseSchedule schedule{diffusion::SchedulerConfig{}};
  models::UNet2DConditionModel unet = small_unet();
  AdversarialTerm term{unet, schedule, {.weight = 1.0, .lowest = 1, .highest = 100}};
  torch::Tensor truth = tensor::seeded_normal({2, 4, 8, 8}, 1);
  torch::Tensor estimate = tensor::seeded_normal({2, 4, 8, 8}, 2);
  models::LayoutEncoding layout{{tensor::seeded_normal({2, 8, 8, 8}, 3), tensor::seeded_normal({2, 8, 4, 4}, 4)},
                                {},
                                {},
                                tensor::seeded_normal({2, 64}, 5)};
  torch::Tensor importance = torch::ones({2});
  Scalars scalars;
};

TEST(AdversarialTerm, EitherPlayersGradientReachesItselfAlone) {
  torch::manual_seed(1);
  Fixture f;
  f.estimate.requires_grad_(true);
  for (torch::Tensor& feature : f.layout.features) feature.requires_grad_(true);
  const AdversarialLosses losses = f.term.losses(f.estimate, f.truth, f.importance, f.layout, 7, f.scalars);
  losses.discriminator.backward({}, true);
  EXPECT_FALSE(f.estimate.grad().defined());
  EXPECT_FALSE(f.layout.features.front().grad().defined());
  EXPECT_EQ(f.term.discriminator()->parameters().size(), 3U * 8);  // the heads' alone
  torch::Tensor before;
  for (const torch::Tensor& p : f.term.discriminator()->parameters()) {
    ASSERT_TRUE(p.grad().defined());
    before = before.defined() ? before + p.grad().abs().sum() : p.grad().abs().sum();
  }
  losses.generator.backward();
  EXPECT_GT(f.estimate.grad().abs().sum().item<double>(), 0.0);
  torch::Tensor after;
  for (const torch::Tensor& p : f.term.discriminator()->parameters()) {
    after = after.defined() ? after + p.grad().abs().sum() : p.grad().abs().sum();
  }
  EXPECT_EQ(before.item<double>(), after.item<double>());
}

TEST(AdversarialTerm, TheGeneratorsGradientRaisesTheVerdict) {
  torch::manual_seed(2);
  Fixture f;
  f.estimate.requires_grad_(true);
  f.term.losses(f.estimate, f.truth, f.importance, f.layout, 7, f.scalars).generator.backward();
  const double before = f.scalars.at("verdict_made");
  const torch::Tensor better = (f.estimate - 0.5 * f.estimate.grad() / f.estimate.grad().norm()).detach();
  f.term.losses(better, f.truth, f.importance, f.layout, 7, f.scalars);
  EXPECT_GT(f.scalars.at("verdict_made"), before);
}

TEST(AdversarialTerm, ADiscriminatorLearnsToTell) {
  torch::manual_seed(3);
  Fixture f;
  f.estimate = f.estimate * 0.2;  // too smooth
  torch::optim::Adam optimiser(f.term.discriminator()->parameters(), torch::optim::AdamOptions(2e-3));
  for (std::uint64_t step = 0; step < 40; ++step) {
    optimiser.zero_grad();
    f.term.losses(f.estimate, f.truth, f.importance, f.layout, step, f.scalars).discriminator.backward();
    optimiser.step();
  }
  EXPECT_GT(f.term.losses(f.estimate, f.truth, f.importance, f.layout, 99, f.scalars).margin, 0.5);
}

TEST(AdversarialTerm, RangesThatCannotBeAreRefused) {
  EXPECT_THROW((AdversarialOptions{.weight = -1}.validate()), RequestError);
  EXPECT_THROW((AdversarialOptions{.lowest = 50, .highest = 50}.validate()), RequestError);
  EXPECT_THROW((AdversarialOptions{.rate_factor = 0}.validate()), RequestError);
  const diffusion::NoiseSchedule schedule{diffusion::SchedulerConfig{}};
  EXPECT_THROW(AdversarialTerm(small_unet(), schedule, {.highest = 2000}), RequestError);
}

}  // namespace
}  // namespace terragen::training
