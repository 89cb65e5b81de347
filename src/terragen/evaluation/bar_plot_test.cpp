#include "terragen/evaluation/bar_plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "terragen/core/error.h"
#include "terragen/evaluation/value_axis.h"

namespace terragen::evaluation {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Every match's groups as numbers.
std::vector<std::vector<double>> numbers_in(const std::string& svg, const std::string& pattern) {
  std::vector<std::vector<double>> found;
  const std::regex expression(pattern);
  for (std::sregex_iterator it(svg.begin(), svg.end(), expression), end; it != end; ++it) {
    found.emplace_back();
    for (std::size_t i = 1; i < it->size(); ++i) found.back().push_back(std::stod((*it)[i].str()));
  }
  return found;
}

constexpr const char* kBar =
    R"re(<rect class="bar" x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)")re";
constexpr const char* kWhisker = R"re(class="whisker" d="M[-\d.]+ ([-\d.]+)H[-\d.]+M([-\d.]+) [-\d.]+V([-\d.]+)M)re";
constexpr const char* kPoint = R"re(class="point" cx="([-\d.]+)" cy="([-\d.]+)")re";

TEST(BarPlot, WhiskersAndPointsStandAtTheirHeights) {
  const BarPlot plot{"t", "IoU (%)", {"a"}, {{"g", {40}, {10}, {{30, 45}}}}};
  const std::string svg = bar_plot_svg(plot);
  const auto bars = numbers_in(svg, kBar);
  const auto whiskers = numbers_in(svg, kWhisker);
  const auto points = numbers_in(svg, kPoint);
  ASSERT_EQ(bars.size(), 1U);
  ASSERT_EQ(whiskers.size(), 1U);
  ASSERT_EQ(points.size(), 2U);
  const double pixels = bars[0][3] / 40;  // of one percent
  const double zero = bars[0][1] + bars[0][3];
  EXPECT_NEAR(whiskers[0][0], zero - 50 * pixels, 0.02);
  EXPECT_NEAR(whiskers[0][2], zero - 30 * pixels, 0.02);
  EXPECT_NEAR(whiskers[0][1], bars[0][0] + bars[0][2] / 2, 0.02);
  EXPECT_NEAR(points[0][1], zero - 30 * pixels, 0.02);
  EXPECT_NEAR(points[1][1], zero - 45 * pixels, 0.02);
  EXPECT_NE(svg.find("<title>g: 40.0 ± 10.0</title>"), std::string::npos);
}

TEST(BarPlot, WhatIsMissingLeavesAGap) {
  const BarPlot plot{
      "t", "v", {"a", "b", "c"}, {{"g", {1, kNan, 3}, {kNan, 1, 0.5}, {{}, {2}, {kNan}}}, {"h", {kNan, kNan, kNan}}}};
  const std::string svg = bar_plot_svg(plot);
  const auto bars = numbers_in(svg, kBar);
  ASSERT_EQ(bars.size(), 2U);
  // The second series' place stays free.
  EXPECT_NEAR(bars[1][0] - bars[0][0], 2 * bars[0][2], 0.02);
  EXPECT_EQ(numbers_in(svg, kWhisker).size(), 1U);
  EXPECT_TRUE(numbers_in(svg, kPoint).empty());
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(BarPlot, NegativeValuesHangFromZero) {
  const auto bars = numbers_in(bar_plot_svg({"t", "v", {"a"}, {{"g", {2}}, {"h", {-1}}}}), kBar);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_NEAR(bars[1][1], bars[0][1] + bars[0][3], 0.02);
  EXPECT_NEAR(bars[1][3], bars[0][3] / 2, 0.02);
}

TEST(BarPlot, LongLabelsStayInThePicture) {
  BarPlot plot{"t", "v", {"a", "b"}, {}};
  for (int i = 0; i < 20; ++i) plot.groups.push_back({"an_unbreakable_label_of_great_length", {1, 2}});
  const std::string svg = bar_plot_svg(plot);
  EXPECT_NE(svg.find("rotate(-35"), std::string::npos);
  EXPECT_NE(svg.find("an_unbreakable…"), std::string::npos);
  plot.groups = {{"two words", {1, 2}}};
  EXPECT_EQ(bar_plot_svg(plot).find("rotate"), std::string::npos);
}

TEST(BarPlot, RefusesListsThatDoNotFit) {
  EXPECT_THROW(bar_plot_svg({"t", "v", {"a", "b"}, {{"g", {1}}}}), InternalError);
  EXPECT_THROW(bar_plot_svg({"t", "v", {"a"}, {{"g", {1}, {1, 2}}}}), InternalError);
  EXPECT_THROW(bar_plot_svg({"t", "v", {}, {{"g", {}}}}), InternalError);
  EXPECT_THROW(bar_plot_svg({"t", "v", {"a"}, {}}), InternalError);
}

TEST(ValueAxis, CoversItsValuesWithRoundSteps) {
  const ValueAxis percent = make_value_axis(0, 87);
  EXPECT_DOUBLE_EQ(percent.high, 100);
  EXPECT_DOUBLE_EQ(percent.step, 20);
  EXPECT_EQ(percent.decimals, 0);
  const ValueAxis small = make_value_axis(-0.0012, 0.0011);
  EXPECT_LE(small.low, -0.0012);
  EXPECT_GE(small.high, 0.0011);
  EXPECT_EQ(small.decimals, 4);
  EXPECT_DOUBLE_EQ(make_value_axis(0, 1).high, 1);
  EXPECT_EQ(make_value_axis(0, 12).decimals, 1);
  for (const double value : {0.0, 1e-300, 7.0, -3e5, 1e300, std::numeric_limits<double>::infinity()}) {
    const ValueAxis axis = make_value_axis(value, value);
    EXPECT_LT(axis.low, axis.high) << value;
    EXPECT_GE(axis.intervals, 1) << value;
    EXPECT_LE(axis.intervals, 12) << value;
  }
}

}  // namespace
}  // namespace terragen::evaluation
