#include "terragen/training/detection_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "terragen/models/detections.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::training {
namespace {

layout::Layout one_object(const layout::Geometry& geometry) {
  layout::Layout layout{.task = "detection", .width = 64, .height = 64};
  layout.features.push_back({0, geometry, false, {}});
  return layout;
}

TEST(DetectionTargets, ACellAnswersForTheBoxAroundIt) {
  models::Detector model(models::DetectorConfig{});
  const models::DetectorOutput cells = model->forward(torch::zeros({1, 3, 64, 64}));
  const DetectionTruth truth = detection_truth(one_object(layout::make_box({8, 16, 24, 28})), false);
  const DetectionTargets targets = detection_targets({truth}, cells.centres, cells.strides);
  const torch::Tensor answering = targets.classes[0].ge(0).nonzero().flatten();
  ASSERT_GT(answering.size(0), 0);
  for (std::int64_t i = 0; i < answering.size(0); ++i) {
    const std::int64_t at = answering[i].item<std::int64_t>();
    const torch::Tensor d = targets.distances[0][at];
    const torch::Tensor c = cells.centres[at];
    EXPECT_NEAR((c[0] - d[0]).item<double>(), 8, 1e-4);
    EXPECT_NEAR((c[1] - d[1]).item<double>(), 16, 1e-4);
    EXPECT_NEAR((c[0] + d[2]).item<double>(), 24, 1e-4);
    EXPECT_NEAR((c[1] + d[3]).item<double>(), 28, 1e-4);
    EXPECT_EQ(cells.strides[at].item<double>(), 4.0);  // a small box is the finest level's
  }
  // A box between the cells' centres is still seen, an image without boxes is all background.
  const DetectionTruth tiny = detection_truth(one_object(layout::make_box({8.1, 8.1, 9.5, 9.3})), false);
  EXPECT_TRUE(detection_targets({tiny}, cells.centres, cells.strides).classes.ge(0).any().item<bool>());
  const DetectionTruth none = detection_truth({.task = "detection", .width = 64, .height = 64}, false);
  EXPECT_FALSE(detection_targets({none}, cells.centres, cells.strides).classes.ge(0).any().item<bool>());
}

// An object smaller than a cell may lie anywhere between the cells' centres: the nearest may say that it is sure.
TEST(DetectionTargets, OfATinyObjectSomeCellIsNear) {
  torch::Tensor centres, strides;
  std::vector<float> at;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) at.insert(at.end(), {4.0F * x + 2, 4.0F * y + 2});
  }
  centres = torch::tensor(at).view({-1, 2});
  strides = torch::full({16}, 4.0F);
  for (const float x : {8.0F, 9.0F, 10.0F}) {
    const DetectionTruth truth{torch::tensor({x, 8.0F, 2.0F, 2.0F, 0.0F}).view({1, 5}),
                               torch::tensor({std::int64_t{0}}), torch::zeros({0, 5})};
    const DetectionTargets targets = detection_targets({truth}, centres, strides);
    EXPECT_GE(targets.centreness.max().item<double>(), 0.3) << x;
    EXPECT_LE(targets.centreness.max().item<double>(), 1.0) << x;
  }
}

TEST(DetectionTargets, WhatIsSaidInsideACrowdIsNeverWrong) {
  models::Detector model(models::DetectorConfig{});
  const models::DetectorOutput cells = model->forward(torch::zeros({1, 3, 64, 64}));
  layout::Layout layout = one_object(layout::make_box({8, 16, 24, 28}));
  layout.features.push_back({0, layout::make_box({32, 32, 64, 64}), true, {}});
  const DetectionTruth truth = detection_truth(layout, false);
  EXPECT_EQ(truth.boxes.size(0), 1);
  const DetectionTargets targets = detection_targets({truth}, cells.centres, cells.strides);
  const torch::Tensor inside = cells.centres.ge(32).all(1);
  EXPECT_TRUE(targets.classes[0].eq(kUnknown).eq(inside).all().item<bool>());
  EXPECT_TRUE(targets.classes[0].ge(0).any().item<bool>());
  Scalars scalars;
  models::DetectorOutput output = cells;
  output.logits = torch::full_like(cells.logits, -4.0);
  const double quiet = detection_loss(output, targets, scalars).item<double>();
  output.logits = output.logits + 8 * inside.to(torch::kFloat32).view({1, -1, 1});
  EXPECT_DOUBLE_EQ(detection_loss(output, targets, scalars).item<double>(), quiet);
}

TEST(OverlapWithACrowd, IsTheShareOfTheDetectionThatLiesInIt) {
  const layout::OrientedBox crowd{.cx = 30, .cy = 30, .width = 40, .height = 20, .angle = 0.5};
  layout::OrientedBox found{.cx = 30, .cy = 30, .width = 10, .height = 5, .angle = 0.5};
  EXPECT_NEAR(models::overlap_of(found, crowd, true, true), 1.0, 1e-6);
  EXPECT_NEAR(models::overlap_of(found, crowd, true, false), 50.0 / 800, 1e-6);
  found.cx += 20 * std::cos(0.5);  // half of it beyond the crowd's end
  found.cy += 20 * std::sin(0.5);
  EXPECT_NEAR(models::overlap_of(found, crowd, true, true), 0.5, 1e-6);
}

TEST(DetectionTargets, GiveBackTheOrientedBox) {
  models::Detector model(models::DetectorConfig{.oriented = true});
  const models::DetectorOutput cells = model->forward(torch::zeros({1, 3, 64, 64}));
  const layout::OrientedBox box{.cx = 30, .cy = 34, .width = 28, .height = 10, .angle = 0.6};
  const DetectionTruth truth = detection_truth(one_object(layout::make_oriented_box(box)), true);
  const DetectionTargets targets = detection_targets({truth}, cells.centres, cells.strides);
  const torch::Tensor answering = targets.classes[0].ge(0).nonzero().flatten();
  ASSERT_GT(answering.size(0), 0);
  const torch::Tensor back = models::boxes_from_distances(targets.distances[0], targets.angle[0], cells.centres);
  for (std::int64_t i = 0; i < answering.size(0); ++i) {
    EXPECT_TRUE(torch::allclose(back[answering[i].item<std::int64_t>()], truth.boxes[0], 1e-4, 1e-3));
  }
}

TEST(Detector, LearnsToFindTurnedBoxes) {
  torch::manual_seed(1);
  models::Detector model(models::DetectorConfig{.oriented = true, .width = 32});
  torch::Tensor images = 0.2 * tensor::seeded_normal({4, 3, 64, 64}, 1);
  std::vector<DetectionTruth> truth;
  const torch::Tensor x = torch::arange(64).view({1, 64}) + 0.5;
  const torch::Tensor y = torch::arange(64).view({64, 1}) + 0.5;
  std::vector<layout::OrientedBox> boxes;
  for (int i = 0; i < 4; ++i) {
    boxes.push_back({.cx = 20.0 + 6 * i, .cy = 40.0 - 5 * i, .width = 26, .height = 9, .angle = -1.0 + 0.6 * i});
    truth.push_back(detection_truth(one_object(layout::make_oriented_box(boxes.back())), true));
    const torch::Tensor along =
        (x - boxes[i].cx) * std::cos(boxes[i].angle) + (y - boxes[i].cy) * std::sin(boxes[i].angle);
    const torch::Tensor across =
        (y - boxes[i].cy) * std::cos(boxes[i].angle) - (x - boxes[i].cx) * std::sin(boxes[i].angle);
    images[i][0].add_(along.abs().le(13).logical_and(across.abs().le(4.5)).to(torch::kFloat32));
  }
  torch::optim::AdamW optimiser(model->parameters(), torch::optim::AdamWOptions(2e-3));
  Scalars scalars;
  for (int step = 0; step < 80; ++step) {
    optimiser.zero_grad();
    const models::DetectorOutput output = model->forward(images);
    detection_loss(output, detection_targets(truth, output.centres, output.strides), scalars).backward();
    optimiser.step();
  }
  const auto found = models::detections_of(model->forward(images), {.least_score = 0.3});
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(found[i].size(), 1U) << i;
    EXPECT_GT(models::overlap_of(found[i][0].box, boxes[i], true), 0.7);
  }
}

}  // namespace
}  // namespace terragen::training
