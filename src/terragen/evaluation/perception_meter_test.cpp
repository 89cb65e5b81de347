#include "terragen/evaluation/perception_meter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "terragen/core/error.h"
#include "terragen/evaluation/perception.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::evaluation {
namespace {

models::PerceptionInference judge_of(const std::string& architecture, bool background) {
  torch::manual_seed(1);
  models::PerceptionConfig config{
      .architecture = architecture, .taxonomy = layout::Taxonomy({{"a", {}}, {"b", {}}}), .background = background};
  config.images.bands = {{"red", 0, 255}, {"green", 0, 255}, {"blue", 0, 255}};
  return {models::new_perception_model(config), {.precision = "fp32"}};
}

shards::Sample blank_sample(int width, int height) {
  shards::Sample sample{torch::zeros({3, height, width}), torch::ones({height, width}), {}, "set/image"};
  sample.layout = {.task = "building", .width = width, .height = height};
  return sample;
}

torch::Tensor classes_of(const std::vector<std::vector<int>>& rows) {
  torch::Tensor classes = torch::zeros({std::ssize(rows), std::ssize(rows.front())}, torch::kUInt8);
  for (std::size_t y = 0; y < rows.size(); ++y) {
    for (std::size_t x = 0; x < rows[y].size(); ++x) {
      classes[static_cast<std::int64_t>(y)][static_cast<std::int64_t>(x)] = rows[y][x];
    }
  }
  return classes;
}

TEST(PerceptionMeter, CountsPixelsAsByHand) {
  const models::PerceptionInference judge = judge_of("unet-resnet18", true);
  PerceptionMeter meter(judge, layout::Taxonomy({{"b", {}}, {"a", {}}}));  // the data's own order
  shards::Sample sample = blank_sample(4, 2);
  sample.layout.features.push_back({0, layout::make_box({0, 0, 2, 2}), false, {}});
  sample.valid[1][3] = 0;
  // Truth: 1 1 2 2 / 1 1 2 -, where 2 is the background.
  meter.add_classes(sample, classes_of({{1, 1, 1, 2}, {1, 0, 1, 0}}));
  PerceptionReport report = meter.report();
  EXPECT_EQ(report.classes, (std::vector<std::string>{"a", "b", "(background)"}));
  EXPECT_TRUE(std::isnan(report.iou[0]));  // there is none: what is called so by mistake is missing in the others
  EXPECT_DOUBLE_EQ(report.iou[1], 3.0 / 6);
  EXPECT_DOUBLE_EQ(report.iou[2], 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.score(), 0.5);
  EXPECT_DOUBLE_EQ(report.pixel_accuracy, 4.0 / 7);
  // Shapes of two pixels are outline all over.
  EXPECT_TRUE(std::isnan(report.boundary_iou[0]));
  EXPECT_EQ(report.boundary_iou[1], 0.5);
  EXPECT_EQ(report.measure(), "mIoU");
  // What a dense mask leaves open stays so, background or not.
  shards::Sample dense = blank_sample(2, 1);
  dense.layout.mask = layout::DenseMask{2, 1, {layout::kUnlabelled, 1}};
  meter.add_classes(dense, classes_of({{2, 0}}));
  report = meter.report();
  EXPECT_EQ(report.images, 2U);
  EXPECT_DOUBLE_EQ(report.class_score(0), 1.0 / 2);
  EXPECT_DOUBLE_EQ(report.score(), 0.5);
}

TEST(PerceptionMeter, CountsObjectsAsByHand) {
  const models::PerceptionInference judge = judge_of("fcos-resnet18", false);
  PerceptionMeter meter(judge, layout::Taxonomy({{"b", {}}}));
  EXPECT_TRUE(std::isnan(meter.report().score()));
  shards::Sample sample = blank_sample(64, 64);
  sample.layout.features.push_back({0, layout::make_box({10, 10, 20, 30}), false, {}});
  sample.layout.features.push_back({0, layout::make_box({40, 40, 50, 50}), false, {}});
  // One of two is found, and with less certainty something that is not there: precision 1 up to a recall of 0.5, which
  // 51 of the 101 steps of recall reach.
  meter.add_objects(sample, {{1, 0.9, {15, 20, 10, 20, 0}}, {1, 0.8, {60, 5, 8, 8, 0}}});
  const PerceptionReport report = meter.report();
  EXPECT_EQ(report.measure(), "AP50");
  EXPECT_NEAR(report.score(), 51.0 / 101, 1e-9);
  EXPECT_TRUE(std::isnan(report.class_score(0)));
  EXPECT_NEAR(report.class_score(1), 51.0 / 101, 1e-9);
  EXPECT_TRUE(report.dota_ap50.empty());
}

TEST(PerceptionMeter, CountsOrientedObjectsAsDotaToo) {
  const models::PerceptionInference judge = judge_of("fcos-resnet18-oriented", false);
  PerceptionMeter meter(judge, layout::Taxonomy({{"b", {}}}));
  shards::Sample sample = blank_sample(64, 64);
  const layout::OrientedBox box{.cx = 20, .cy = 20, .width = 16, .height = 6, .angle = 0.7};
  const layout::OrientedBox other{.cx = 45, .cy = 45, .width = 16, .height = 6, .angle = -0.4};
  sample.layout.features.push_back({0, layout::make_oriented_box(box), false, {}});
  sample.layout.features.push_back({0, layout::make_oriented_box(other), false, {}});
  meter.add_objects(sample, {{1, 0.9, box}, {1, 0.8, {60, 5, 8, 8, 0}}});
  const PerceptionReport report = meter.report();
  ASSERT_EQ(report.dota_ap50.size(), 2U);
  EXPECT_TRUE(std::isnan(report.dota_ap50[0]));
  EXPECT_NEAR(report.dota_ap50[1], 0.5, 1e-9);  // the area under precision 1 up to a recall of one half
}

// DOTA's kit measures against the four corners as they were drawn, not against the smallest rectangle around them.
TEST(PerceptionMeter, DotaTakesTheLabelledCorners) {
  const models::PerceptionInference judge = judge_of("fcos-resnet18-oriented", false);
  PerceptionMeter meter(judge, layout::Taxonomy({{"b", {}}}));
  shards::Sample sample = blank_sample(64, 64);
  // A right-angled triangle but for a little: half of the rectangle around it.
  sample.layout.features.push_back({0, layout::make_polygon({{10, 10}, {30, 10}, {11, 29}, {10, 30}}), false, {}});
  const layout::OrientedBox around = layout::minimum_oriented_box(sample.layout.features[0].geometry);
  meter.add_objects(sample, {{1, 0.9, {20, 20, 21, 21, 0}}});
  EXPECT_GT(around.width * around.height, 390);
  const PerceptionReport report = meter.report();
  EXPECT_NEAR(report.dota_ap50.at(1), 0.0, 1e-9);
  EXPECT_NEAR(report.score(), 1.0, 1e-9);  // COCO's figures are of rectangles
}

TEST(PerceptionMeter, LooksForItself) {
  const models::PerceptionInference judge = judge_of("unet-resnet18", true);
  const layout::Taxonomy classes({{"a", {}}});
  shards::Sample sample = blank_sample(40, 50);
  sample.image = tensor::seeded_normal({3, 50, 40}, 3).clamp(-1, 1);
  sample.layout.features.push_back({0, layout::make_box({5, 5, 30, 30}), false, {}});
  PerceptionMeter one(judge, classes);
  PerceptionMeter other(judge, classes);
  one.add(sample);
  other.add_classes(sample, judge.classes(sample.image));
  EXPECT_EQ(one.report().iou[2], other.report().iou[2]);
  EXPECT_EQ(one.report().pixel_accuracy, other.report().pixel_accuracy);
  EXPECT_GT(one.report().seconds, 0);
}

TEST(PerceptionMeter, RefusesWhatTheJudgeDoesNotKnow) {
  const models::PerceptionInference judge = judge_of("unet-resnet18", true);
  EXPECT_THROW(PerceptionMeter(judge, layout::Taxonomy({{"c", {}}})), RequestError);
  PerceptionMeter meter(judge, layout::Taxonomy({{"a", {}}}));
  shards::Sample sample = blank_sample(32, 32);
  sample.image = torch::zeros({4, 32, 32});
  EXPECT_THROW(meter.add(sample), RequestError);
}

}  // namespace
}  // namespace terragen::evaluation
