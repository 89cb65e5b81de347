#include "terragen/shards/object_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "terragen/layout/rasterise.h"

namespace terragen::shards {
namespace {

layout::Layout layout_with(const std::vector<layout::Feature>& features, int width = 128, int height = 96) {
  layout::Layout layout{.task = "detection", .width = width, .height = height};
  layout.features = features;
  return layout;
}

layout::Feature box_of_class(int k, const layout::Bounds& bounds, bool crowd = false) {
  return {k, layout::make_box(bounds), crowd, {}};
}

torch::Tensor all_valid(const layout::Layout& layout) { return torch::ones({layout.height, layout.width}); }

// An image whose first band is 1 on features of class 0, the second on those of class 1.
torch::Tensor drawn(const layout::Layout& layout) {
  torch::Tensor image = torch::full({2, layout.height, layout.width}, -1.0);
  for (const layout::Feature& feature : layout.features) {
    auto mask = layout::rasterise(feature.geometry, layout.width, layout.height);
    image[feature.class_index].masked_fill_(
        torch::from_blob(mask.data(), {layout.height, layout.width}, torch::kUInt8).to(torch::kBool), 1.0);
  }
  return image;
}

TEST(ObjectWindows, ShowWhatTheyAreLabelled) {
  const layout::Layout layout =
      layout_with({box_of_class(0, {10, 10, 20, 16}), box_of_class(1, {60, 40, 90, 80}),
                   box_of_class(0, {120, 88, 128, 96}), box_of_class(1, {10, 70, 30, 90}, true)});
  const auto windows = object_windows(layout, all_valid(layout), {.background = 2}, 7);
  const torch::Tensor images = window_images(drawn(layout), windows);
  ASSERT_EQ(images.sizes(), (std::vector<std::int64_t>{std::ssize(windows), 2, kWindowSize, kWindowSize}));
  std::multiset<int> labels;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const ObjectWindow& w = windows[i];
    labels.insert(w.label);
    EXPECT_GE(w.side, 24);
    EXPECT_TRUE(w.x >= 0 && w.y >= 0 && w.x + w.side <= 128 && w.y + w.side <= 96);
    const torch::Tensor most = images[static_cast<std::int64_t>(i)].amax({1, 2});
    for (int k = 0; k < 2; ++k) EXPECT_EQ(most[k].item<float>() > 0, k == w.label) << i;
  }
  // The crowd gives no window, and neither does it lie in one of the background.
  EXPECT_EQ(labels.count(0), 2U);
  EXPECT_EQ(labels.count(1), 1U);
  EXPECT_GE(labels.count(2), 2U);
  EXPECT_LE(labels.count(2), 3U);
  // One and a half times the larger side, about the centre.
  const auto large = std::ranges::find(windows, 1, &ObjectWindow::label);
  EXPECT_EQ(*large, (ObjectWindow{45, 30, 60, 1}));
}

TEST(ObjectWindows, FollowTheirSeedAndTheirLimit) {
  std::vector<layout::Feature> many;
  for (int i = 0; i < 40; ++i) many.push_back(box_of_class(i % 2, {3.0 * i, 10, 3.0 * i + 2, 14}));
  const layout::Layout layout = layout_with(many);
  const WindowOptions options{.most = 5, .background = 2};
  const auto windows = object_windows(layout, all_valid(layout), options, 1);
  EXPECT_EQ(windows, object_windows(layout, all_valid(layout), options, 1));
  EXPECT_NE(windows, object_windows(layout, all_valid(layout), options, 2));
  EXPECT_EQ(windows.size(), 10U);
  EXPECT_EQ(object_windows(layout, all_valid(layout), {.most = 5}, 1).size(), 5U);
}

TEST(ObjectWindows, WhatIsNotMeasuredIsNotShown) {
  const layout::Layout layout = layout_with({box_of_class(0, {10, 10, 20, 20})});
  torch::Tensor valid = all_valid(layout);
  valid.slice(1, 0, 64).fill_(0);
  const auto windows = object_windows(layout, valid, {.background = 2}, 3);
  EXPECT_TRUE(windows.empty());  // no object, and so nothing as wide as one
  const layout::Layout nothing = layout_with({});
  const auto empty = object_windows(nothing, valid, {.background = 2}, 3);
  ASSERT_EQ(empty.size(), 1U);
  EXPECT_GE(empty[0].x, 64 - empty[0].side / 4);
  EXPECT_TRUE(object_windows(nothing, valid, {}, 3).empty());
}

TEST(ObjectWindows, OfAMaskCarryTheClassOfMostPixels) {
  layout::Layout layout = layout_with({}, 200, 100);
  layout.mask = layout::DenseMask{200, 100, std::vector<std::uint8_t>(200 * 100, layout::kUnlabelled)};
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 120; ++x) layout.mask->values[static_cast<std::size_t>(y * 200 + x)] = x < 60 ? 0 : 1;
  }
  const auto windows = object_windows(layout, all_valid(layout), {.most = 200, .background = 9}, 4);
  std::set<int> labels;
  for (const ObjectWindow& w : windows) {
    EXPECT_EQ(w.side, 48);
    labels.insert(w.label);
    const double zeros = std::clamp(60 - w.x, 0, 48);
    const double ones = std::clamp(120 - w.x, 0, 48) - zeros;
    EXPECT_GE((w.label == 0 ? zeros : ones) / (zeros + ones), 0.6);
    EXPECT_GE(zeros + ones, 24);
  }
  EXPECT_EQ(labels, (std::set<int>{0, 1}));
  EXPECT_LT(windows.size(), 200U);  // places on the border and in the dark give none
}

}  // namespace
}  // namespace terragen::shards
