#include "terragen/synthesis/placement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "terragen/core/error.h"
#include "terragen/core/test_paths.h"
#include "terragen/layout/things.h"
#include "terragen/synthesis/placement_picture.h"
#include "terragen/synthesis/reference_set.h"
#include "terragen/synthesis/rule_learning.h"

namespace terragen::synthesis {
namespace {

constexpr int kSize = 128;
enum Class : int { kLand, kWater, kRoad, kShip, kClasses };

// Left half land, right half water, a road of 8 pixels at x = 20; the image has stripes along +x in the water.
shards::Sample coast() {
  shards::Sample sample;
  sample.layout = {.task = "segmentation", .width = kSize, .height = kSize, .gsd = 2.0};
  sample.layout.mask = layout::DenseMask{kSize, kSize, std::vector<std::uint8_t>(kSize * kSize, kLand)};
  sample.image = torch::full({3, kSize, kSize}, 0.5);
  sample.valid = torch::ones({kSize, kSize});
  for (int y = 0; y < kSize; ++y) {
    for (int x = 0; x < kSize; ++x) {
      std::uint8_t& ground = sample.layout.mask->values[static_cast<std::size_t>(y * kSize + x)];
      if (x >= kSize / 2) {
        ground = kWater;
        sample.image.slice(1, y, y + 1).slice(2, x, x + 1).fill_(-0.5 + 0.2 * std::sin(0.8 * y));
      } else if (x >= 20 && x < 28) {
        ground = kRoad;
      }
    }
  }
  return sample;
}

// Of scenes like the coast.
GroundShares coast_shares() { return {.classes = {0.44, 0.5, 0.06, 0.0}, .unlabelled = 0}; }

layout::Geometry ship(double cx, double cy, double angle) { return layout::make_oriented_box({cx, cy, 16, 6, angle}); }

TEST(Structure, LinesRunAlongTheirStripes) {
  for (const double angle : {-1.2, -0.4, 0.0, 0.7, 1.3}) {
    const torch::Tensor ys = torch::arange(64).view({-1, 1}).to(torch::kFloat32);
    const torch::Tensor xs = torch::arange(64).view({1, -1}).to(torch::kFloat32);
    const torch::Tensor across = -std::sin(angle) * xs + std::cos(angle) * ys;
    const StructureField field = structure_field((0.5 * (0.7 * across).sin()).unsqueeze(0));
    const double off = angle - static_cast<double>(field.direction.at(32, 32));
    EXPECT_NEAR(std::cos(2 * off), 1, 0.01) << angle;
    EXPECT_GT(field.coherence.at(32, 32), 0.9);
  }
  EXPECT_EQ(structure_field(torch::zeros({3, 16, 16})).coherence.at(8, 8), 0.0F);
}

TEST(Placement, ThingsStandOnTheirGroundAndMissEachOther) {
  const shards::Sample scene = coast();
  layout::PlacementRule rule{.ground = {kWater}, .unlabelled_ground = false, .spacing = 4};
  rule.direction = layout::PlacementDirection::structure;
  PlacementMap map(scene, rule, nullptr);
  Random random(4);
  const std::vector<Placement> placed =
      map.place({{ship(10, 10, 0.5), 2.0}}, {.most = 6, .least_score = 0.01, .size_jitter = 1.0}, random);
  ASSERT_GE(placed.size(), 4U);
  std::vector<std::uint8_t> all(kSize * kSize, 0);
  for (const Placement& placement : placed) {
    const layout::OrientedBox box = layout::minimum_oriented_box(placement.geometry);
    EXPECT_NEAR(box.width, 16, 1e-6);
    EXPECT_GT(std::abs(std::cos(box.angle)), 0.9) << "stripes run along +x";
    const std::vector<std::uint8_t> drawn = layout::rasterise(placement.geometry, kSize, kSize);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      if (drawn[i] == 0) continue;
      EXPECT_EQ(scene.layout.mask->values[i], kWater);
      EXPECT_EQ(all[i], 0);
      all[i] = 1;
    }
  }
}

TEST(Placement, NeighboursSizesAndLooksAreKept) {
  const shards::Sample scene = coast();
  const layout::PlacementRule near_road{
      .ground = {kLand}, .unlabelled_ground = false, .neighbours = {{kRoad, 6, 30}}, .least_size = 24, .most_size = 28};
  PlacementMap map(scene, near_road, nullptr);
  Random random(5);
  const std::vector<Placement> placed = map.place({{ship(10, 10, 0), 2.0}}, {.most = 5, .least_score = 0.01}, random);
  ASSERT_FALSE(placed.empty());
  for (const Placement& placement : placed) {
    const layout::OrientedBox box = layout::minimum_oriented_box(placement.geometry);
    EXPECT_GE(box.width * 2, 24 - 1e-6);  // 2 metres a pixel
    EXPECT_LE(box.width * 2, 28 + 1e-6);
    const layout::Bounds bounds = layout::bounds_of(placement.geometry);
    const double away = bounds.x0 >= 28 ? bounds.x0 - 28 : 20 - bounds.x1;
    EXPECT_GE(away, 2);
    EXPECT_LE(away, 16);
  }
  // Without names of the ground, what it looks like decides.
  shards::Sample example = coast();
  example.layout.mask.reset();
  example.layout.features = {{kShip, ship(96, 40, 0), false, {}}};
  shards::Sample unnamed = coast();
  unnamed.layout.mask.reset();
  const GroundLikeness likeness({example}, kShip);
  PlacementMap by_looks(unnamed, {.least_likeness = 0.05}, &likeness);
  const std::vector<Placement> found =
      by_looks.place({{ship(10, 10, 0), 2.0}}, {.most = 5, .least_score = 0.01}, random);
  ASSERT_FALSE(found.empty());
  for (const Placement& placement : found) EXPECT_GT(layout::bounds_of(placement.geometry).x0, kSize / 2 - 3);
}

TEST(Placement, NoRoomNoThing) {
  const shards::Sample scene = coast();
  PlacementMap map(scene, {.ground = {kRoad}, .unlabelled_ground = false}, nullptr);
  Random random(1);
  EXPECT_TRUE(map.place({{layout::make_box({0, 0, 30, 30}), 2.0}}, {}, random).empty());
  // Without rules it stands anywhere, but inside the image.
  PlacementMap other(scene, {.ground = {kRoad}, .unlabelled_ground = false}, nullptr);
  const auto anywhere = other.place({{layout::make_box({0, 0, 30, 30}), 2.0}}, {.anywhere = true}, random);
  EXPECT_FALSE(anywhere.empty());
}

TEST(RuleLearning, FindsGroundSizesAndDirection) {
  std::vector<shards::Sample> examples;
  for (int i = 0; i < 5; ++i) {
    shards::Sample example = coast();
    example.layout.features = {{kShip, ship(90 + 4 * i, 30 + 12 * i, 0.05), false, {}}};
    examples.push_back(std::move(example));
  }
  const layout::PlacementRule rule = learned_rule(examples, kShip, coast_shares());
  // A road is too rare for five ships to have missed it by more than chance, land is not.
  EXPECT_EQ(rule.ground, (std::vector<int>{kWater, kRoad}));
  EXPECT_NEAR(rule.least_size, 0.8 * 32, 0.01);
  EXPECT_NEAR(rule.most_size, 1.25 * 32, 0.01);
  EXPECT_EQ(rule.direction, layout::PlacementDirection::structure);
  EXPECT_EQ(rule.least_likeness, 0);
  EXPECT_THROW(learned_rule({coast()}, kShip, coast_shares()), RequestError);
  const layout::Taxonomy taxonomy({{"land", {}}, {"water", {}}, {"road", {}}, {"ship", {}}});
  EXPECT_EQ(layout::placement_rule_from_json(layout::placement_rule_to_json(rule, taxonomy), taxonomy, "rule"), rule);
  EXPECT_THROW(layout::placement_rule_from_json({{"grund", 1}}, taxonomy, "rule"), DataError);
  EXPECT_THROW(layout::placement_rule_from_json({{"ground", {"lava"}}}, taxonomy, "rule"), DataError);
}

TEST(RuleLearning, WhatIsUnlabelledIsGroundLikeAnyClass) {
  shards::Sample example = coast();
  example.layout.features = {{kShip, ship(90, 60, 0.05), false, {}}};
  const auto unlabelled_ground = [&](std::size_t things, double unlabelled) {
    GroundShares shares = coast_shares();
    shares.unlabelled = unlabelled;
    return learned_rule(std::vector<shards::Sample>(things, example), kShip, shares).unlabelled_ground;
  };
  EXPECT_TRUE(unlabelled_ground(1, 0.3));    // one ship tells nothing of it
  EXPECT_FALSE(unlabelled_ground(20, 0.3));  // twenty that all lie elsewhere do
  EXPECT_TRUE(unlabelled_ground(20, 1));     // but where no scene says its ground
  std::vector<std::uint8_t>& ground = example.layout.mask->values;
  std::fill_n(ground.begin(), ground.size() / 2, layout::kUnlabelled);
  EXPECT_TRUE(unlabelled_ground(20, 0.3));
}

TEST(RuleLearning, WhatTheScenesCoverIsCounted) {
  const layout::Layout whole = coast().layout;
  layout::Layout without = whole;
  without.mask.reset();
  const GroundShares shares = ground_shares({&whole, &without}, kClasses);
  EXPECT_NEAR(shares.unlabelled, 0.5, 1e-9);
  EXPECT_NEAR(shares.classes[kWater], 0.25, 1e-9);
  EXPECT_NEAR(shares.classes[kRoad], 0.5 * 8 / 128, 1e-9);
}

TEST(RuleLearning, ADistanceThatIsInfiniteSpoilsNone) {
  // Of 21 ships one lies in a scene without a road: it is infinitely far from one.
  const auto long_ship = [](double cy) { return layout::make_oriented_box({78, cy, 24, 4, 0}); };
  shards::Sample with = coast();
  for (int i = 0; i < 20; ++i) with.layout.features.push_back({kShip, long_ship(5 + 6 * i), false, {}});
  shards::Sample without = coast();
  for (std::uint8_t& ground : without.layout.mask->values) ground = ground == kRoad ? std::uint8_t{kLand} : ground;
  without.layout.features.push_back({kShip, long_ship(60), false, {}});
  const layout::PlacementRule rule = learned_rule({with, without}, kShip, coast_shares());
  EXPECT_NO_THROW(rule.validate(kClasses));
  const auto road = std::ranges::find(rule.neighbours, int{kRoad}, &layout::NeighbourRule::class_index);
  ASSERT_NE(road, rule.neighbours.end());
  EXPECT_NEAR(road->most, 2.0 * (66 - 28 + 1), 2.1);
}

TEST(RuleLearning, AClassThatIsNearToAllPlacesIsNoNeighbour) {
  // Ships on the land, beside the road by chance: the examples show little else.
  shards::Sample narrow = coast();
  narrow.layout.width = narrow.layout.mask->width = 44;
  std::vector<std::uint8_t> ground;
  for (std::size_t i = 0; i < narrow.layout.mask->values.size(); ++i) {
    if (i % kSize < 44) ground.push_back(narrow.layout.mask->values[i]);
  }
  narrow.layout.mask->values = ground;
  narrow.image = narrow.image.slice(2, 0, 44).contiguous();
  for (int i = 0; i < 6; ++i) {
    narrow.layout.features.push_back({kShip, layout::make_oriented_box({36, 10.0 + 20 * i, 14, 4, 0}), false, {}});
  }
  EXPECT_TRUE(learned_rule({narrow}, kShip, coast_shares()).neighbours.empty());
}

TEST(Placement, FeaturesCanBeTheGround) {
  shards::Sample scene = coast();
  scene.layout.mask.reset();
  scene.layout.features.push_back({kWater, layout::make_box({64, 0, 128, 128}), false, {}});
  const layout::PlacementRule rule = layout::placement_rule_from_json(
      {{"ground", {"water"}}}, layout::Taxonomy({{"land", {}}, {"water", {}}, {"road", {}}, {"ship", {}}}), "");
  EXPECT_FALSE(rule.unlabelled_ground);
  PlacementMap map(scene, rule, nullptr);
  Random random(4);
  const auto placed = map.place({{ship(40, 40, 0), 2.0}}, {.most = 4}, random);
  EXPECT_EQ(placed.size(), 4U);
  for (const Placement& one : placed) EXPECT_GE(layout::bounds_of(one.geometry).x0, 63.5);
}

TEST(References, LargeRegionsAreCutIntoWindows) {
  layout::Layout layout{.task = "segmentation", .width = 300, .height = 300};
  layout.mask = layout::DenseMask{300, 300, std::vector<std::uint8_t>(300 * 300, kLand)};
  std::size_t water = 0;
  for (int y = 0; y < 300; ++y) {
    for (int x = 0; x < 300; ++x) {
      const bool lake = y < 200 && x + y < 330;
      const bool pond = y >= 250 && y < 270 && x >= 20 && x < 60;
      if (!lake && !pond) continue;
      layout.mask->values[static_cast<std::size_t>(y * 300 + x)] = kWater;
      ++water;
    }
  }
  double area = 0;
  bool whole_pond = false;
  for (const layout::Geometry& thing : placeable_things(layout, kWater)) {
    const layout::Bounds bounds = layout::bounds_of(thing);
    EXPECT_LE(bounds.width(), 128);
    EXPECT_LE(bounds.height(), 128);
    whole_pond = whole_pond || bounds == layout::Bounds{20, 250, 60, 270};
    area += layout::area_of(thing);
  }
  EXPECT_TRUE(whole_pond);
  EXPECT_NEAR(area, static_cast<double>(water), 0.02 * static_cast<double>(water));
  // A thing that is labelled by itself stays whole.
  layout.mask.reset();
  layout.features.push_back({kWater, layout::make_box({10, 10, 200, 200}), false, {}});
  EXPECT_EQ(placeable_things(layout, kWater).size(), 1U);
}

TEST(PlacementPicture, IsWritten) {
  const test::ScratchFolder scratch;
  const shards::Sample scene = coast();
  PlacementMap map(scene, {.ground = {kWater}, .unlabelled_ground = false}, nullptr);
  Random random(2);
  const auto placed = map.place({{ship(10, 10, 0), 2.0}}, {}, random);
  write_placement_picture(scratch.path() / "map.png", scene, map, 6, placed);
  EXPECT_GT(std::filesystem::file_size(scratch.path() / "map.png"), 1000U);
}

TEST(Placement, WithoutClassesAnyLabelledGroundWillDo) {
  const shards::Sample scene = coast();
  PlacementMap map(scene, {.unlabelled_ground = false}, nullptr);
  Random random(4);
  EXPECT_EQ(map.place({{ship(40, 40, 0), 2.0}}, {.most = 4}, random).size(), 4U);
}

TEST(RuleLearning, LakesHaveTheSizeOfThePiecesThatArePlaced) {
  shards::Sample example;
  example.layout = {.task = "segmentation", .width = 400, .height = 400};
  example.layout.mask = layout::DenseMask{400, 400, std::vector<std::uint8_t>(400 * 400, kLand)};
  for (int y = 20; y < 320; ++y) {
    for (int x = 20; x < 320; ++x) example.layout.mask->values[static_cast<std::size_t>(y * 400 + x)] = kWater;
  }
  example.image = torch::zeros({3, 400, 400});
  example.valid = torch::ones({400, 400});
  const layout::PlacementRule rule = learned_rule({example}, kWater, coast_shares());
  EXPECT_NEAR(rule.least_size, 0.8 * 100, 1);
  EXPECT_NEAR(rule.most_size, 1.25 * 100, 1);
}

}  // namespace
}  // namespace terragen::synthesis
