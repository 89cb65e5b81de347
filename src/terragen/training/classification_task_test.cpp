#include "terragen/training/classification_task.h"

#include <gtest/gtest.h>

#include "terragen/core/seed.h"
#include "terragen/core/test_paths.h"
#include "terragen/layout/rasterise.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

models::PerceptionModel new_classifier(bool background) {
  torch::manual_seed(1);
  models::PerceptionConfig config{.architecture = "resnet18",
                                  .taxonomy = layout::Taxonomy({{"red", {200, 0, 0}}, {"green", {0, 200, 0}}}),
                                  .background = background};
  config.images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  return models::new_perception_model(config);
}

// Squares of two colours on noise, two images.
shards::Batch drawn_batch(std::uint64_t seed, bool with_objects = true) {
  std::vector<shards::Sample> samples;
  for (std::uint64_t i = 0; i < 2; ++i) {
    Random random(derive_seed(seed, i));
    shards::Sample sample;
    sample.image = 0.2 * tensor::seeded_normal({3, 96, 96}, derive_seed(seed, 10 + i));
    sample.valid = torch::ones({96, 96});
    sample.layout = {.task = "detection", .width = 96, .height = 96};
    for (int k = 0; k < 4 && with_objects; ++k) {
      // One in every quarter, so far from its edges that no window shows two.
      const double x = 48.0 * (k % 2) + 6 + static_cast<double>(random.below(22));
      const double y = 48.0 * (k / 2) + 6 + static_cast<double>(random.below(22));
      const int shown = static_cast<int>(random.below(2));
      layout::Feature feature{shown, layout::make_box({x, y, x + 14, y + 14}), false, {}};
      auto mask = layout::rasterise(feature.geometry, 96, 96);
      const torch::Tensor inside = torch::from_blob(mask.data(), {96, 96}, torch::kUInt8).to(torch::kBool);
      sample.image.masked_fill_(inside, -0.7);
      sample.image[shown].masked_fill_(inside, 0.7);
      sample.layout.features.push_back(feature);
    }
    samples.push_back(sample);
  }
  return shards::collate(samples);
}

TEST(ClassificationTask, LearnsWhatWindowsShow) {
  const test::ScratchFolder scratch;
  ClassificationTask task(new_classifier(true), drawn_batch(1), {});
  torch::optim::AdamW optimiser(task.module()->parameters(), torch::optim::AdamWOptions(1e-3));
  Scalars scalars;
  for (std::uint64_t step = 0; step < 40; ++step) {
    optimiser.zero_grad();
    task.loss(drawn_batch(100 + step), step, scalars).backward();
    optimiser.step();
  }
  const torch::NoGradGuard no_grad;
  task.module()->eval();
  double accuracy = 0;
  for (std::uint64_t i = 0; i < 4; ++i) {
    task.loss(drawn_batch(1000 + i), i, scalars);
    EXPECT_GE(scalars["windows"], 12);
    accuracy += scalars["accuracy"] / 4;
  }
  EXPECT_GT(accuracy, 0.95);
  task.write_preview(scratch.path() / "preview.png");
  EXPECT_GT(std::filesystem::file_size(scratch.path() / "preview.png"), 1000U);
}

TEST(ClassificationTask, ABatchWithoutWindowsMovesNothing) {
  ClassificationTask task(new_classifier(false), drawn_batch(1), {});
  Scalars scalars;
  const torch::Tensor loss = task.loss(drawn_batch(2, false), 5, scalars);
  EXPECT_EQ(loss.item<double>(), 0.0);
  EXPECT_EQ(scalars.at("windows"), 0.0);
  loss.backward();
  for (const torch::Tensor& parameter : task.module()->parameters()) {
    ASSERT_TRUE(parameter.grad().defined());
    EXPECT_EQ(parameter.grad().abs().max().item<double>(), 0.0);
  }
}

TEST(ClassificationTask, TheSameSeedIsTheSameStep) {
  ClassificationTask task(new_classifier(true), drawn_batch(1), {});
  task.module()->eval();
  Scalars scalars;
  const double once = task.loss(drawn_batch(3), 7, scalars).item<double>();
  EXPECT_EQ(task.loss(drawn_batch(3), 7, scalars).item<double>(), once);
  EXPECT_NE(task.loss(drawn_batch(3), 8, scalars).item<double>(), once);
}

}  // namespace
}  // namespace terragen::training
