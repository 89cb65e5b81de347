#include "terragen/training/perception_task.h"

#include <gtest/gtest.h>

namespace terragen::training {
namespace {

models::PerceptionConfig config_of(int classes, bool background) {
  std::vector<layout::ClassInfo> names;
  for (int k = 0; k < classes; ++k) names.push_back({std::string(1, static_cast<char>('a' + k)), {}});
  return {.architecture = "segformer-b0", .taxonomy = layout::Taxonomy(names), .background = background};
}

std::vector<std::int64_t> targets_of(const layout::Layout& layout, const models::PerceptionConfig& config) {
  const torch::Tensor valid = torch::ones({1, 1, layout.height, layout.width});
  valid[0][0][0][0] = 0;  // not measured
  const torch::Tensor target = class_targets({layout}, valid, config).flatten();
  return {target.const_data_ptr<std::int64_t>(), target.const_data_ptr<std::int64_t>() + target.numel()};
}

TEST(ClassTargets, WhatNoFeatureCoversIsBackground) {
  layout::Layout layout{.width = 3, .height = 1};
  layout.features = {{1, layout::make_box({1, 0, 2, 1}), false, {}}};
  EXPECT_EQ(targets_of(layout, config_of(2, true)), (std::vector<std::int64_t>{255, 1, 2}));
  EXPECT_EQ(targets_of(layout, config_of(2, false)), (std::vector<std::int64_t>{255, 1, 255}));
}

TEST(ClassTargets, AMaskSaysItselfWhatItDoesNotKnow) {
  layout::Layout layout{.width = 3, .height = 1};
  layout.mask = layout::DenseMask{3, 1, {0, 0, layout::kUnlabelled}};
  EXPECT_EQ(targets_of(layout, config_of(2, true)), (std::vector<std::int64_t>{255, 0, 255}));
  // Of one class the rest must be told apart, or there is nothing to learn.
  EXPECT_EQ(targets_of(layout, config_of(1, true)), (std::vector<std::int64_t>{255, 0, 1}));
}

}  // namespace
}  // namespace terragen::training
