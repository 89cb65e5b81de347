// Where everything of a bar plot stands, in pixels from its upper left corner.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "terragen/evaluation/bar_plot.h"
#include "terragen/evaluation/value_axis.h"

namespace terragen::evaluation {

constexpr double kPlotHeight = 260;  // from the axis' lower to its upper end
constexpr double kTitleLine = 21;
constexpr double kTextLine = 16;
constexpr double kLabelSlant = 35;  // degrees

// A bar with a finite value.
struct Bar {
  std::size_t group = 0;
  std::size_t series = 0;
  double x = 0;  // its left side
  double value = 0;
  double spread = 0;           // 0: no whisker
  std::vector<double> points;  // the finite ones
  double low = 0;              // of zero, the value, its whisker and its points
  double high = 0;
  std::string written;  // the value; empty where it has no room
};

struct LegendEntry {
  double x = 0;
  double y = 0;  // of the text's baseline
};

struct BarFrame {
  ValueAxis axis;
  double width = 0;
  double height = 0;
  double left = 0;  // of the gridlines, which end at the right side
  double top = 0;   // of the axis
  double slot = 0;  // of a group, with the room to the next
  double bar_width = 0;
  int decimals = 0;
  std::vector<Bar> bars;
  std::vector<std::string> title;  // lines
  std::vector<LegendEntry> legend;
  std::vector<std::vector<std::string>> labels;  // lines of every group
  bool slanted = false;                          // the labels: one line each, turned
  std::vector<std::string> note;                 // lines

  double y(double value) const { return top + kPlotHeight * (1 - axis.fraction(value)); }
};

BarFrame make_bar_frame(const BarPlot& plot);

}  // namespace terragen::evaluation
