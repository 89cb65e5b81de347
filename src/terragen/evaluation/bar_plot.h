// Grouped bars as SVG: means with their spread and the single runs behind them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace terragen::evaluation {

// What stands side by side over one label.
struct BarGroup {
  std::string label;
  std::vector<double> values;               // one a series; NaN: none, which leaves a gap
  std::vector<double> spreads;              // the whisker reaches so far up and down; empty or one a series, NaN: none
  std::vector<std::vector<double>> points;  // single runs, drawn as circles; empty or one list a series
};

struct BarPlot {
  std::string title;
  std::string axis;                 // what the bars measure, with its unit: "mean IoU (%)"
  std::vector<std::string> series;  // at most kMostBarSeries; the legend is left out where there is one
  std::vector<BarGroup> groups;
  std::string note;   // below the plot: what whiskers and circles are
  int decimals = -1;  // of the values written out; -1: one more than the axis has
};

struct BarValue {
  double value = 0;
  double spread = 0;
  std::vector<double> points;
};
// The bar of a series over a label, whose group is made where there is none yet. The series is one of the plot's.
void add_bar(BarPlot& plot, const std::string& label, const std::string& series, BarValue bar);

// So many colours are told apart by every reader.
constexpr std::size_t kMostBarSeries = 8;

// An <svg> element for a page or, with its namespace, a file of its own. Text and lines take the colour of the text
// around it, circles are filled with the property --page (white without it). Bars start at zero; their values stand
// above them where there is room and in a tooltip always. InternalError where a group's lists do not fit the series.
std::string bar_plot_svg(const BarPlot& plot);

}  // namespace terragen::evaluation
