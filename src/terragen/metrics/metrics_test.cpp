#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/metrics/boundary_iou.h"
#include "terragen/metrics/box_overlap.h"
#include "terragen/metrics/coco_evaluation.h"
#include "terragen/metrics/confusion.h"
#include "terragen/metrics/feature_distance.h"
#include "terragen/metrics/psnr.h"
#include "terragen/metrics/voc_evaluation.h"
#include "terragen/metrics/window_correlation.h"

namespace terragen::metrics {
namespace {

TEST(Suppress, ComparesNeighboursAloneAndKeepsTheSame) {
  Random random(4);
  std::vector<Box> boxes;
  std::vector<double> scores;
  for (int i = 0; i < 2000; ++i) {
    const double x = random.uniform(-300, 300);
    const double y = random.uniform(-300, 300);
    boxes.push_back({x, y, x + random.uniform(0, 40), y + random.uniform(0, 40)});
    scores.push_back(std::floor(random.uniform(0, 50)));  // many are equal
  }
  const auto overlap = [&](std::size_t a, std::size_t b) { return box_iou(boxes[a], boxes[b]); };
  const auto all = suppress(scores, 0.3, overlap);
  EXPECT_EQ(suppress(scores, 0.3, overlap, boxes), all);
  EXPECT_GT(all.size(), 200U);
  EXPECT_LT(all.size(), 1900U);
}

TEST(Psnr, FollowsItsDefinitionOverValidPixels) {
  const std::vector<float> one{0, 0, 0, 1, 1, 1};  // two bands of three pixels
  const std::vector<float> two{0.1F, 0, 0, 1, 0.8F, 9};
  const std::vector<float> valid{1, 1, 0};
  EXPECT_NEAR(psnr(one, two, valid, 2.0), 10 * std::log10(4.0 / ((0.01 + 0.04) / 4)), 1e-5);
  EXPECT_TRUE(std::isinf(psnr(one, one, valid, 2.0)));
  EXPECT_TRUE(std::isnan(psnr(one, two, std::vector<float>{0, 0, 0}, 2.0)));
  EXPECT_THROW(psnr(one, two, std::vector<float>{1, 1, 1, 1}, 2.0), RequestError);
}

TEST(WindowCorrelation, IsThatOfEveryBandLessItsMean) {
  torch::manual_seed(3);
  const torch::Tensor image = 0.5 * torch::randn({2, 9, 12});
  const torch::Tensor windows =
      torch::stack({0.5 * image.slice(1, 2, 6).slice(2, 3, 8) + 0.1, torch::randn({2, 4, 5})});
  const torch::Tensor found = window_correlation(windows, image);
  ASSERT_EQ(found.sizes(), (std::vector<std::int64_t>{2, 6, 8}));
  const auto centred = [](const torch::Tensor& x) { return x - x.mean({1, 2}, true); };
  const torch::Tensor one = centred(windows[1]);
  const torch::Tensor two = centred(image.slice(1, 1, 5).slice(2, 2, 7));
  const torch::Tensor expected = (one * two).mean() / ((one.square().mean() * two.square().mean()).sqrt() + 0.0018);
  EXPECT_NEAR(found[1][1][2].item<double>(), expected.item<double>(), 1e-5);
  EXPECT_EQ(found[0].argmax().item<std::int64_t>(), 2 * 8 + 3);
  EXPECT_GT(found[0].max().item<double>(), 0.97);
  // Pixels two apart.
  const torch::Tensor apart =
      window_correlation(windows, image.slice(1, 0, 7).repeat_interleave(2, 1).repeat_interleave(2, 2), 2);
  EXPECT_NEAR(apart[1][2][4].item<double>(), expected.item<double>(), 1e-5);
  // What is flat is like nothing, itself included.
  EXPECT_EQ(window_correlation(torch::zeros({1, 2, 4, 5}), torch::zeros({2, 4, 5})).item<double>(), 0);
  EXPECT_THROW(window_correlation(torch::zeros({1, 2, 4, 5}), torch::zeros({2, 4, 4})), RequestError);
  EXPECT_THROW(window_correlation(torch::zeros({1, 3, 4, 5}), image), RequestError);
}

TEST(Confusion, ClassesThatAppearNowhereAreInNoMean) {
  ConfusionMatrix matrix(3);
  matrix.add(std::vector<std::uint8_t>{0, 0, 1, 255}, std::vector<std::uint8_t>{0, 1, 1, 7});
  EXPECT_EQ(matrix.total(), 3);  // what is unlabelled is not asked
  EXPECT_DOUBLE_EQ(matrix.iou()[0], 0.5);
  EXPECT_TRUE(std::isnan(matrix.iou()[2]));
  EXPECT_DOUBLE_EQ(matrix.mean_iou(), 0.5);
  EXPECT_THROW(matrix.add(std::vector<std::uint8_t>{0}, std::vector<std::uint8_t>{3}), RequestError);
  EXPECT_THROW(matrix.add(std::vector<std::uint8_t>{0}, std::vector<std::uint8_t>{0, 0}), RequestError);
}

TEST(Boundary, IsARingOfTheGivenWidth) {
  constexpr int kSize = 20;
  std::vector<std::uint8_t> mask(kSize * kSize, 0);
  for (int y = 4; y < 16; ++y) {
    for (int x = 4; x < 16; ++x) mask[static_cast<std::size_t>(y * kSize + x)] = 1;
  }
  const auto ring = boundary_of(mask, kSize, 2);
  EXPECT_EQ(std::count(ring.begin(), ring.end(), 1), 12 * 12 - 8 * 8);
  EXPECT_EQ(ring[static_cast<std::size_t>(5 * kSize + 5)], 1);
  EXPECT_EQ(ring[static_cast<std::size_t>(6 * kSize + 6)], 0);
  EXPECT_DOUBLE_EQ(boundary_iou(mask, mask, kSize), 1.0);
  // A mask that is one pixel smaller all around still covers most of the other, its outline does not.
  std::vector<std::uint8_t> smaller(mask.size(), 0);
  for (int y = 5; y < 15; ++y) {
    for (int x = 5; x < 15; ++x) smaller[static_cast<std::size_t>(y * kSize + x)] = 1;
  }
  EXPECT_LT(boundary_iou(mask, smaller, kSize), 0.1);
  EXPECT_THROW(boundary_iou(mask, std::vector<std::uint8_t>(3), kSize), RequestError);
}

TEST(CocoEvaluation, CrowdsAndEmptyImagesCountForNothing) {
  DetectionGroup group{.category = 0, .truths = {{100, false}, {1e4, true}}, .detections = {{0.9, 100}, {0.8, 100}}};
  group.overlap = [](std::size_t d, std::size_t t) { return d == t ? 1.0 : 0.0; };
  const DetectionGroup nothing{.category = 0};
  const CocoSummary summary = evaluate_coco({group, nothing}, 2);
  EXPECT_DOUBLE_EQ(summary.figures[0], 1.0);
  EXPECT_DOUBLE_EQ(summary.figures[4], -1.0);  // no medium objects
  EXPECT_DOUBLE_EQ(summary.category_ap[1], -1.0);
  EXPECT_THROW(evaluate_coco({group}, 0), RequestError);
}

TEST(VocEvaluation, ATruthIsFoundOnce) {
  VocGroup group{.difficult = {false, true}, .scores = {0.9, 0.8, 0.7, 0.6}};
  group.overlap = [](std::size_t d, std::size_t t) { return (d < 2) == (t == 0) && d < 3 ? 0.8 : 0.0; };
  const VocResult result = evaluate_voc({group}, 0.5);
  // Right; found before; difficult, so neither; nothing there.
  EXPECT_EQ(result.recall, (std::vector<double>{1, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(result.precision.back(), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(result.ap, 1.0);
  EXPECT_TRUE(std::isnan(evaluate_voc({}, 0.5).ap));
}

TEST(Overlap, OfRunsOfDifferentSizesIsRefused) {
  EXPECT_DOUBLE_EQ(run_length_iou({2, 4, 2}, {4, 4}), 2.0 / 6.0);
  EXPECT_DOUBLE_EQ(run_length_iou({2, 4, 2}, {4, 4}, true), 2.0 / 4.0);
  EXPECT_THROW(run_length_iou({2, 4}, {4, 4}), RequestError);
}

TEST(FeatureDistance, SetsThatCannotBeComparedAreRefused) {
  const torch::Tensor features = torch::rand({8, 4});
  EXPECT_THROW(feature_statistics(features.slice(0, 0, 1)), RequestError);
  EXPECT_THROW(feature_statistics(features / 0.0 * 0.0), RequestError);
  EXPECT_THROW(kernel_distance(features, features.slice(0, 0, 4)), RequestError);
  EXPECT_THROW(kernel_distance(features, features, 2, 9, 1), RequestError);
  EXPECT_EQ(kernel_distance(features, features + 1, 3, 4, 1).mean,
            kernel_distance(features, features + 1, 3, 4, 1).mean);
  const PrecisionRecall same = precision_recall(features, features);
  EXPECT_DOUBLE_EQ(same.precision, 1.0);
  EXPECT_DOUBLE_EQ(same.recall, 1.0);
}

}  // namespace
}  // namespace terragen::metrics
