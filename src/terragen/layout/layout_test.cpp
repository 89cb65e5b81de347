#include "terragen/layout/layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "terragen/core/error.h"
#include "terragen/core/seed.h"
#include "terragen/layout/class_pixels.h"
#include "terragen/layout/rasterise.h"
#include "terragen/layout/vectorise.h"

namespace terragen::layout {
namespace {

// A star around a centre: simple, mostly concave.
Vertices star(Random& random, double cx, double cy, double radius, int vertices) {
  Vertices ring;
  for (int i = 0; i < vertices; ++i) {
    const double angle = 2 * std::numbers::pi * i / vertices;
    const double r = radius * random.uniform(0.3, 1.0);
    ring.push_back({cx + r * std::cos(angle), cy + r * std::sin(angle)});
  }
  return ring;
}

bool inside(const Vertices& ring, Point c) {
  bool in = false;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point& p = ring[i];
    const Point& q = ring[(i + 1) % ring.size()];
    if ((p.y > c.y) != (q.y > c.y) && c.x < p.x + (c.y - p.y) / (q.y - p.y) * (q.x - p.x)) in = !in;
  }
  return in;
}

std::int64_t count(const std::vector<std::uint8_t>& pixels) {
  return std::accumulate(pixels.begin(), pixels.end(), std::int64_t{0});
}

TEST(Rasterise, EqualsPointInPolygonAtEveryCentre) {
  Random random(1);
  for (int trial = 0; trial < 50; ++trial) {
    const Point centre{random.uniform(0, 64), random.uniform(0, 64)};
    const Vertices outer = star(random, centre.x, centre.y, 40, 12);
    Vertices hole = outer;
    for (Point& p : hole) p = {centre.x + 0.4 * (p.x - centre.x), centre.y + 0.4 * (p.y - centre.y)};
    const Geometry geometry = make_polygon(outer, {hole});
    const auto pixels = rasterise(geometry, 64, 64);
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        const Point c{x + 0.5, y + 0.5};
        const bool expected = inside(outer, c) != inside(hole, c);
        ASSERT_EQ(pixels[static_cast<std::size_t>(y * 64 + x)] != 0, expected) << trial << " " << x << " " << y;
      }
    }
  }
}

TEST(Rasterise, NeighboursShareNoPixelAndLeaveNone) {
  const Geometry left = make_polygon({{0, 0}, {20.5, 0}, {13.2, 40}, {0, 40}});
  const Geometry right = make_polygon({{20.5, 0}, {40, 0}, {40, 40}, {13.2, 40}});
  const auto a = rasterise(left, 40, 40);
  const auto b = rasterise(right, 40, 40);
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i] + b[i], 1);
}

TEST(Rasterise, TheThinnestObjectKeepsAPixel) {
  EXPECT_EQ(count(rasterise(make_box({10.1, 10.1, 10.3, 10.3}), 32, 32)), 1);
  EXPECT_EQ(count(rasterise(make_point({5.2, 5.2}, 0.1), 32, 32)), 1);
  EXPECT_EQ(count(rasterise(make_box({-9, -9, -8, -8}), 32, 32)), 0);
  // Where it is, not between its parts.
  Geometry two = make_box({4.1, 4.1, 4.3, 4.3});
  two.kind = GeometryKind::polygon;
  two.parts.push_back({{{20.1, 20.1}, {20.3, 20.1}, {20.3, 20.3}}, {}});
  const auto drawn = rasterise(two, 32, 32);
  EXPECT_EQ(count(drawn), 2);
  EXPECT_EQ(drawn[4 * 32 + 4] + drawn[20 * 32 + 20], 2);
}

TEST(Rasterise, RibbonsHaveTheirWidth) {
  const auto straight = rasterise(make_polyline({{0, 32}, {64, 32}}, 6), 64, 64);
  EXPECT_EQ(count(straight), 6 * 64);
  // Every pixel clearly within half the width of the line is drawn, none clearly beyond the mitre's reach.
  const Vertices bend{{5, 5}, {40, 20}, {20, 50}};
  const auto pixels = rasterise(make_polyline(bend, 8), 64, 64);
  const Plane distance = signed_distance(make_polyline(bend, 8), 64, 64, 1);
  for (int y = 8; y < 48; ++y) {
    for (int x = 12; x < 60; ++x) {
      if (distance.at(x, y) < -1.0F) {
        EXPECT_TRUE(pixels[static_cast<std::size_t>(y * 64 + x)] != 0) << x << " " << y;
      }
      if (distance.at(x, y) > 4.0F) {
        EXPECT_TRUE(pixels[static_cast<std::size_t>(y * 64 + x)] == 0) << x << " " << y;
      }
    }
  }
}

TEST(Rasterise, CoverageAndClassMaskAreOneGeometry) {
  Random random(3);
  Layout layout{.task = "building", .width = 64, .height = 64};
  for (int i = 0; i < 12; ++i) {
    layout.features.push_back(
        {0, make_polygon(star(random, random.uniform(0, 64), random.uniform(0, 64), 12, 8)), false, {}});
  }
  const DenseMask mask = rasterise_classes(layout);
  const std::vector<Plane> coverage = class_coverage(layout, 1, 1);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) EXPECT_EQ(coverage[0].at(x, y) > 0.5F, mask.at(x, y) == 0);
  }
  const std::vector<Plane> coarse = class_coverage(layout, 1, 8);
  const float fine_sum = std::accumulate(coverage[0].values.begin(), coverage[0].values.end(), 0.0F);
  const float coarse_sum = std::accumulate(coarse[0].values.begin(), coarse[0].values.end(), 0.0F);
  EXPECT_NEAR(fine_sum, 64.0F * coarse_sum, 0.5F);
}

TEST(SignedDistance, MatchesBruteForce) {
  const Geometry box = make_box({16, 16, 48, 40});
  const Plane plane = signed_distance(box, 64, 64, 8);
  EXPECT_FLOAT_EQ(plane.at(0, 3), 12.0F);   // centre (4, 28): 12 left of the edge
  EXPECT_FLOAT_EQ(plane.at(3, 3), -12.0F);  // centre (28, 28): 12 from left, top and bottom
  EXPECT_NEAR(plane.at(0, 0), std::hypot(12.0, 12.0), 1e-4);
}

TEST(NearestEdge, FollowsTheMask) {
  Layout layout{.task = "x", .width = 64, .height = 64};
  EXPECT_FLOAT_EQ(nearest_edge_distance(layout, 2, 32).at(5, 5), 32.0F);
  layout.features.push_back({0, make_box({16, 16, 48, 48}), false, {}});
  const Plane plane = nearest_edge_distance(layout, 2, 32);
  EXPECT_LT(plane.at(16, 16), -12.0F);
  EXPECT_GT(plane.at(0, 16), 12.0F);
}

TEST(Clip, AreaEqualsWhatIsDrawn) {
  Random random(5);
  for (int trial = 0; trial < 100; ++trial) {
    const Geometry geometry = make_polygon(star(random, random.uniform(-200, 800), random.uniform(-200, 800), 500, 14));
    const Geometry cut = clip(geometry, {0, 0, 600, 600});
    const auto whole = rasterise(geometry, 600, 600);
    const auto part = is_empty(cut) ? std::vector<std::uint8_t>(whole.size(), 0) : rasterise(cut, 600, 600);
    EXPECT_NEAR(static_cast<double>(count(whole)), static_cast<double>(count(part)), 2.0) << trial;
    EXPECT_NEAR(area_of(cut), static_cast<double>(count(part)), 0.01 * 360000) << trial;
  }
  EXPECT_EQ(clip(make_box({-5, 2, 5, 8}), {0, 0, 10, 10}), make_box({0, 2, 5, 8}));
  EXPECT_TRUE(is_empty(clip(make_polyline({{-50, -50}, {-40, -40}}, 4), {0, 0, 10, 10})));
}

TEST(OrientedBox, IsTheSmallest) {
  const OrientedBox box{30, 20, 24, 10, 0.5};
  const OrientedBox found = minimum_oriented_box(make_oriented_box(box));
  EXPECT_NEAR(found.cx, 30, 1e-9);
  EXPECT_NEAR(found.width, 24, 1e-9);
  EXPECT_NEAR(found.height, 10, 1e-9);
  EXPECT_NEAR(found.angle, 0.5, 1e-9);
}

TEST(Vectorise, RasterisingGivesTheMaskBack) {
  Random random(9);
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<std::uint8_t> mask(40 * 30);
    for (auto& pixel : mask) pixel = random.chance(0.55) ? 1 : 0;
    Geometry geometry;
    geometry.parts = vectorise(mask, 40, 30);
    EXPECT_EQ(rasterise(geometry, 40, 30), mask);
  }
}

TEST(ClassPixels, AreThoseOfTheMask) {
  Layout layout{.width = 3, .height = 2};
  EXPECT_EQ(count_class_pixels(layout, 2).unlabelled, 6U);
  layout.mask = DenseMask{3, 2, {1, 1, kUnlabelled, 0, 1, kUnlabelled}};
  const ClassPixels pixels = count_class_pixels(layout, 2);
  EXPECT_EQ(pixels.classes, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(pixels.unlabelled, 2U);
}

TEST(Transform, AQuarterTurnKeepsABoxABox) {
  const Geometry turned = transform(make_box({1, 2, 3, 6}), {.a = 0, .b = -1, .c = 10, .d = 1, .e = 0, .f = 0});
  EXPECT_EQ(turned, make_box({4, 1, 8, 3}));
  const Geometry tilted = transform(make_box({0, 0, 4, 2}), {.a = 0.8, .b = -0.6, .d = 0.6, .e = 0.8});
  EXPECT_EQ(tilted.kind, GeometryKind::oriented_box);
  EXPECT_NEAR(area_of(tilted), 8, 1e-9);
}

TEST(LayoutJson, RoundTrip) {
  Layout layout{.task = "road", .width = 32, .height = 16, .gsd = 0.5, .place = "x"};
  layout.features.push_back({1, make_polyline({{0, 0}, {3.25, 4}}, 2.5), false, "id"});
  layout.features.push_back({0, make_polygon({{0, 0}, {9, 0}, {9, 9}}, {{{5, 1}, {8, 1}, {8, 4}}}), true, {}});
  layout.features.push_back({0, make_point({1, 2}, 3), false, {}});
  EXPECT_EQ(layout_from_json(layout_to_json(layout), 2, "test"), layout);
  EXPECT_THROW(layout_from_json(layout_to_json(layout), 1, "test"), DataError);
}

TEST(Problems, AreNamed) {
  EXPECT_EQ(problem_of(make_polygon({{0, 0}, {4, 4}, {4, 0}, {0, 4}})), "a ring crosses itself");
  // A coast of 200,000 vertices, and the same with two of them exchanged.
  Vertices coast;
  for (int i = 0; i < 100000; ++i) coast.push_back({0.1 * i, std::sin(0.1 * i)});
  for (int i = 100000; i-- > 0;) coast.push_back({0.1 * i, 5 + std::sin(0.3 * i)});
  EXPECT_EQ(problem_of(make_polygon(coast)), "");
  std::swap(coast[150000], coast[150003]);
  EXPECT_EQ(problem_of(make_polygon(coast)), "a ring crosses itself");
  EXPECT_FALSE(problem_of(make_polygon({{0, 0}, {1, 1}})).empty());
  EXPECT_FALSE(problem_of(make_polygon({{0, 0}, {1, NAN}, {3, 3}})).empty());
  EXPECT_TRUE(problem_of(make_box({0, 0, 2, 2})).empty());
}

TEST(Taxonomy, RefusesWhatIsAmbiguous) {
  EXPECT_THROW(Taxonomy({{"a", {}}, {"a", {}}}), RequestError);
  EXPECT_THROW(color_from_text("#12345", "f"), DataError);
  EXPECT_EQ(color_to_text(color_from_text("#3C1098", "f")), "#3C1098");
}

}  // namespace
}  // namespace terragen::layout
