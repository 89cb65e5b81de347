// Tiles of a raster: what they say of class probabilities, blended, and of objects, merged.
#include <gtest/gtest.h>

#include "terragen/core/error.h"
#include "terragen/core/interrupt.h"
#include "terragen/core/seed.h"
#include "terragen/prediction/tiled_detection.h"
#include "terragen/prediction/tiled_segmentation.h"

namespace terragen::prediction {
namespace {

// The whole result; rows must come once each, from top to bottom, never more than a tile's.
torch::Tensor blended(int width, int height, std::int64_t classes, const TileOptions& tiles,
                      const TileProbabilities& probabilities_of) {
  std::vector<torch::Tensor> parts;
  int next = 0;
  blend_tiles(width, height, classes, tiles, probabilities_of, [&](int y, const torch::Tensor& rows) {
    EXPECT_EQ(y, next);
    EXPECT_LE(rows.size(1), tiles.size);
    next += static_cast<int>(rows.size(1));
    parts.push_back(rows.clone());
  });
  EXPECT_EQ(next, height);
  return torch::cat(parts, 1);
}

torch::Tensor ramp(const geo::PixelWindow& w) {
  const torch::Tensor x = torch::arange(w.x, w.x + w.width, torch::kFloat32) * 0.001;
  const torch::Tensor y = torch::arange(w.y, w.y + w.height, torch::kFloat32) * 0.002;
  return y.unsqueeze(1) + x.unsqueeze(0);
}

const std::vector<std::pair<int, int>> kSizes{{300, 200}, {64, 64}, {65, 64}, {40, 24}, {1, 1}, {30, 500}, {97, 301}};

TEST(TiledSegmentation, WeightsSumToOneAndARampStaysARamp) {
  for (const auto& [width, height] : kSizes) {
    for (const TileOptions tiles :
         {TileOptions{64, 16}, TileOptions{64, 0}, TileOptions{64, 48}, TileOptions{96, 32}}) {
      const torch::Tensor result = blended(width, height, 2, tiles, [](const geo::PixelWindow& w) {
        return torch::stack({torch::ones({w.height, w.width}), ramp(w)});
      });
      EXPECT_LT((result[0] - 1).abs().max().item<double>(), 1e-6) << width << "x" << height;
      EXPECT_LT((result[1] - ramp({0, 0, width, height})).abs().max().item<double>(), 1e-6) << width << "x" << height;
    }
  }
}

TEST(TiledSegmentation, TilesThatDisagreeLeaveNoEdge) {
  int count = 0;
  const torch::Tensor result = blended(300, 210, 1, {64, 32}, [&](const geo::PixelWindow& w) {
    // Neighbours each way say the opposite.
    return torch::full({1, w.height, w.width}, static_cast<double>(count++ * 7 % 5 % 2));
  });
  EXPECT_GT(result.max().item<double>() - result.min().item<double>(), 0.9);
  EXPECT_LT(result.diff(1, 1).abs().max().item<double>(), 0.06);
  EXPECT_LT(result.diff(1, 2).abs().max().item<double>(), 0.06);
}

TEST(TiledSegmentation, WhatNoTileSpeaksOfIsZero) {
  const torch::Tensor result = blended(128, 128, 1, {64, 0}, [](const geo::PixelWindow& w) {
    return w.x == 0 ? torch::Tensor() : torch::ones({1, w.height, w.width});
  });
  EXPECT_EQ(result.sum().item<double>(), 64 * 128);
  EXPECT_EQ(result[0][5][63].item<double>(), 0);
  const auto other_shape = [](const geo::PixelWindow&) { return torch::ones({1, 3, 3}); };
  EXPECT_THROW(blended(128, 128, 1, {64, 0}, other_shape), InternalError);
}

TEST(TiledSegmentation, StopsBetweenTiles) {
  int looked = 0;
  const auto look = [&](const geo::PixelWindow& w) {
    if (++looked == 2) request_interrupt();
    return torch::ones({1, w.height, w.width});
  };
  EXPECT_THROW(blend_tiles(300, 300, 1, {64, 0}, look, [](int, const torch::Tensor&) {}), Interrupted);
  request_interrupt(false);
  EXPECT_EQ(looked, 2);
}

layout::OrientedBox upright(double x0, double y0, double x1, double y1) {
  return {(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, 0};
}

layout::Bounds bounds_of_box(const layout::OrientedBox& box) {
  return layout::bounds_of(layout::make_oriented_box(box));
}

// A detector that finds every object, also the part that reaches into a tile, and is surest of parts.
TileDetections sees(const std::vector<models::Detection>& world) {
  return [&world](const geo::PixelWindow& w) {
    std::vector<models::Detection> found;
    for (const models::Detection& object : world) {
      const layout::Bounds b = bounds_of_box(object.box);
      const double x0 = std::max<double>(b.x0, w.x);
      const double y0 = std::max<double>(b.y0, w.y);
      const double x1 = std::min<double>(b.x1, w.x + w.width);
      const double y1 = std::min<double>(b.y1, w.y + w.height);
      if (x1 - x0 < 3 || y1 - y0 < 3) continue;
      const bool part = x1 - x0 < b.width() || y1 - y0 < b.height();
      found.push_back(
          {object.class_index, part ? 0.99 : object.score, upright(x0 - w.x, y0 - w.y, x1 - w.x, y1 - w.y)});
    }
    return found;
  };
}

TEST(TiledDetection, EveryObjectOnceAndWhole) {
  Random random(5);
  std::vector<models::Detection> world;
  for (int y = 0; y + 36 <= 260; y += 37) {
    for (int x = 0; x + 36 <= 390; x += 37) {
      const double width = random.uniform(6, 27);
      const double height = random.uniform(6, 27);
      const double x0 = x + random.uniform(0, 36 - width);
      const double y0 = y + random.uniform(0, 36 - height);
      world.push_back(
          {static_cast<int>(random.below(2)), random.uniform(0.3, 0.9), upright(x0, y0, x0 + width, y0 + height)});
    }
  }
  const auto found = detect_in_tiles(390, 260, {96, 32}, sees(world), false, {});
  ASSERT_EQ(found.size(), world.size());
  std::ranges::sort(world, std::greater<>{}, &models::Detection::score);
  for (std::size_t i = 0; i < world.size(); ++i) {
    EXPECT_EQ(found[i].class_index, world[i].class_index);
    EXPECT_EQ(found[i].score, world[i].score);
    EXPECT_NEAR(models::overlap_of(found[i].box, world[i].box, false), 1, 1e-9);
  }
}

TEST(TiledDetection, WhatIsLargerThanTheOverlapIsNotLost) {
  const std::vector<models::Detection> world{{0, 0.8, upright(20, 50, 280, 70)}};
  const auto found = detect_in_tiles(300, 120, {96, 32}, sees(world), false, {});
  ASSERT_FALSE(found.empty());
  double x0 = 300;
  double x1 = 0;
  for (const models::Detection& piece : found) {
    x0 = std::min(x0, bounds_of_box(piece.box).x0);
    x1 = std::max(x1, bounds_of_box(piece.box).x1);
  }
  EXPECT_EQ(x0, 20);
  EXPECT_EQ(x1, 280);
}

TEST(TiledDetection, AnOrientedObjectOfTwoTilesIsOne) {
  const layout::OrientedBox ship{80, 40, 22, 7, 0.6};
  const auto found = detect_in_tiles(160, 80, {96, 32},
                                     [&](const geo::PixelWindow& w) -> std::vector<models::Detection> {
                                       layout::OrientedBox seen = ship;
                                       seen.cx -= w.x + 0.3 * (w.x > 0 ? 1 : 0);
                                       seen.cy -= w.y;
                                       return {{0, w.x > 0 ? 0.6 : 0.7, seen}};
                                     },
                                     true, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].score, 0.7);
  EXPECT_EQ(found[0].box.cx, ship.cx);
}

TEST(TiledDetection, GroupsChangeNothingAboutSuppression) {
  Random random(9);
  std::vector<models::Detection> candidates;
  for (int i = 0; i < 400; ++i) {
    const double x = random.uniform(20, 480);
    const double y = random.uniform(20, 480);
    candidates.push_back({static_cast<int>(random.below(2)),
                          random.uniform(),
                          {x, y, random.uniform(4, 40), random.uniform(4, 40), random.uniform(-1, 1)}});
  }
  models::DetectionOptions options{.most_overlap = 0.2, .most = 1000};
  const auto expected = models::suppressed(candidates, true, options);
  const auto found =
      detect_in_tiles(500, 500, {512, 128}, [&](const geo::PixelWindow&) { return candidates; }, true, options);
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_LT(found.size(), candidates.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].score, expected[i].score);
}

}  // namespace
}  // namespace terragen::prediction
