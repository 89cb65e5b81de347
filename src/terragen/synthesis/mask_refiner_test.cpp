#include "terragen/synthesis/mask_refiner.h"

#include <gtest/gtest.h>

#include "terragen/shards/drawn_mask.h"
#include "terragen/synthesis/reference_set.h"
#include "terragen/synthesis/sam_refiner.h"
#include "terragen/tensor/seeded_noise.h"

namespace terragen::synthesis {
namespace {

constexpr int kPictureSize = 96;

torch::Tensor box_mask(int y0, int x0, int y1, int x1) {
  torch::Tensor mask = torch::zeros({kPictureSize, kPictureSize});
  mask.slice(0, y0, y1).slice(1, x0, x1).fill_(1);
  return mask;
}

double overlap(const torch::Tensor& a, const torch::Tensor& b) {
  return (a * b).sum().item<double>() / torch::maximum(a, b).sum().item<double>();
}

TEST(GrabCut, FollowsTheImageWhereTheIntentionIsOff) {
  const torch::Tensor truth = box_mask(30, 34, 62, 70);
  torch::Tensor image =
      torch::stack({-0.6 + 1.2 * truth, 0.4 - 0.9 * truth, torch::full({kPictureSize, kPictureSize}, -0.2)}) +
      0.05 * tensor::seeded_normal({3, kPictureSize, kPictureSize}, 1);
  const torch::Tensor intended = box_mask(34, 30, 66, 66);  // four pixels off either way
  GrabCutRefiner refiner(0.5);
  const torch::Tensor refined = refiner.refine(image, intended);
  EXPECT_GT(overlap(refined, truth), 0.95);
  EXPECT_LT(overlap(intended, truth), 0.7);
  EXPECT_TRUE(torch::equal(refined, refiner.refine(image, intended)));
}

TEST(References, BoxesAreOutlined) {
  // A bright disc on dark noise, labelled by its box; and a box that is no thing's.
  Reference disc;
  disc.image = -0.6 + 0.05 * tensor::seeded_normal({3, 96, 96}, 4);
  const torch::Tensor ys = torch::arange(96).view({-1, 1}) + 0.5;
  const torch::Tensor xs = torch::arange(96).view({1, -1}) + 0.5;
  const torch::Tensor inside = ((ys - 50).square() + (xs - 40).square()).le(14 * 14);
  disc.image = torch::where(inside, torch::full_like(disc.image, 0.7), disc.image);
  disc.footprint.geometry = layout::make_box({26, 36, 54, 64});
  disc.mask = shards::drawn_mask(disc.footprint.geometry, 96, 96);
  Reference polygon = disc;
  polygon.footprint.geometry = layout::make_polygon({{26, 36}, {54, 36}, {54, 64}, {26, 64}});
  std::vector<Reference> references{disc, polygon};
  GrabCutRefiner refiner;
  EXPECT_EQ(outline_boxes(references, refiner, {}, 32), 1U);
  const torch::Tensor found = references[0].mask.gt(0);
  const auto both = found.logical_and(inside).sum().item<double>();
  EXPECT_GT(both / found.logical_or(inside).sum().item<double>(), 0.9);
  EXPECT_NEAR(layout::area_of(references[0].footprint.geometry), found.sum().item<double>(), 1e-6);
  EXPECT_EQ(references[0].picture.sizes(), (std::vector<std::int64_t>{4, 32, 32}));
  EXPECT_EQ(references[1].footprint.geometry, polygon.footprint.geometry);  // who drew a polygon meant it
  NoRefiner none;
  std::vector<Reference> kept{disc};
  EXPECT_EQ(outline_boxes(kept, none, {}, 32), 0U);
  EXPECT_EQ(kept[0].footprint.geometry, disc.footprint.geometry);
}

TEST(MaskPolicy, FillsHolesDropsCrumbsAndTestsTheIntention) {
  torch::Tensor refined = box_mask(20, 20, 60, 60);
  refined.slice(0, 38, 41).slice(1, 38, 41).fill_(0);  // a hole of 9 pixels
  refined.slice(0, 80, 84).slice(1, 80, 84).fill_(1);  // a crumb of 16
  const RefinedMask tidy = tidied(refined, box_mask(20, 20, 60, 60), {});
  EXPECT_TRUE(torch::equal(tidy.mask, box_mask(20, 20, 60, 60)));
  EXPECT_DOUBLE_EQ(tidy.overlap, 1);
  EXPECT_TRUE(tidy.kept);
  EXPECT_FALSE(tidied(refined, box_mask(70, 70, 90, 90), {}).kept);
  EXPECT_FALSE(tidied(torch::zeros({kPictureSize, kPictureSize}), box_mask(70, 70, 90, 90), {}).kept);
  // A large hole is part of the shape.
  torch::Tensor ring = box_mask(20, 20, 60, 60);
  ring.slice(0, 30, 50).slice(1, 30, 50).fill_(0);
  EXPECT_TRUE(torch::equal(tidied(ring, ring, {}).mask, ring));
}

TEST(DeepPoints, LieInsideAndApart) {
  const torch::Tensor mask = torch::maximum(box_mask(10, 10, 30, 60), box_mask(10, 40, 80, 60));
  const torch::Tensor points = deep_points(mask, 3);
  ASSERT_EQ(points.size(0), 3);
  for (int k = 0; k < 3; ++k) {
    const auto x = points[k][0].item<std::int64_t>();
    const auto y = points[k][1].item<std::int64_t>();
    EXPECT_EQ(mask.slice(0, y - 4, y + 5).slice(1, x - 4, x + 5).min().item<float>(), 1.0F) << k;
    for (int j = 0; j < k; ++j) EXPECT_GT((points[k] - points[j]).norm().item<double>(), 12) << k << j;
  }
  EXPECT_EQ(deep_points(box_mask(5, 5, 6, 6), 3).size(0), 1);
}

}  // namespace
}  // namespace terragen::synthesis
