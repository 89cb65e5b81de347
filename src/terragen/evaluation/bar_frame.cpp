#include "terragen/evaluation/bar_frame.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

// Widths of a character at the sizes used, judged from common sans-serif faces and a little generous: the reader's face
// is not known.
constexpr double kTitleWidth = 9.2;
constexpr double kTextWidth = 7.2;
constexpr double kSmallWidth = 6.6;
constexpr double kDigitWidth = 6.6;

constexpr double kNarrowestPlot = 340;
// Title, legend and note end here even under wider plots, so that a phone shows them whole.
constexpr double kTextRoom = 470;
constexpr double kUsualPlot = 800;
constexpr double kWidestBar = 38;
constexpr double kNarrowestBar = 10;
constexpr std::size_t kLongestLabel = 28;
constexpr std::size_t kMostLabelLines = 3;

double text_extent(const std::string& text, double width) { return static_cast<double>(character_count(text)) * width; }

std::vector<std::string> fitted_lines(const std::string& text, double room, double width) {
  return wrapped(text, static_cast<std::size_t>(std::max(1.0, room / width)));
}

std::vector<Bar> bars_of(const BarPlot& plot) {
  std::vector<Bar> bars;
  for (std::size_t g = 0; g < plot.groups.size(); ++g) {
    const BarGroup& group = plot.groups[g];
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
      if (!std::isfinite(group.values[s])) continue;
      Bar bar{.group = g, .series = s, .value = group.values[s]};
      if (!group.spreads.empty() && std::isfinite(group.spreads[s])) bar.spread = std::max(0.0, group.spreads[s]);
      if (!group.points.empty()) {
        std::copy_if(group.points[s].begin(), group.points[s].end(), std::back_inserter(bar.points),
                     [](double point) { return std::isfinite(point); });
      }
      bar.low = std::min(0.0, bar.value - bar.spread);
      bar.high = std::max(0.0, bar.value + bar.spread);
      for (const double point : bar.points) {
        bar.low = std::min(bar.low, point);
        bar.high = std::max(bar.high, point);
      }
      bars.push_back(std::move(bar));
    }
  }
  return bars;
}

// Values over the bars, all or none: a few alone would look chosen.
void write_values(BarFrame& frame) {
  double widest = 0;
  for (Bar& bar : frame.bars) {
    bar.written = number_text(bar.value, frame.decimals);
    widest = std::max(widest, text_extent(bar.written, kDigitWidth));
  }
  if (widest <= frame.bar_width + 2) return;
  for (Bar& bar : frame.bars) bar.written.clear();
}

// Upright in the group's room where every label fits, else one slanted line each. Returns how far below the axis the
// labels reach; moves `left` so that they do not leave the picture.
double place_labels(const BarPlot& plot, BarFrame& frame) {
  std::size_t lines = 1;
  for (const BarGroup& group : plot.groups) {
    frame.labels.push_back(fitted_lines(group.label, frame.slot - 6, kTextWidth));
    lines = std::max(lines, frame.labels.back().size());
    for (const std::string& line : frame.labels.back()) {
      frame.slanted = frame.slanted || text_extent(line, kTextWidth) > frame.slot - 4;
    }
  }
  frame.slanted = frame.slanted || lines > kMostLabelLines;
  if (!frame.slanted) return 10 + kTextLine * static_cast<double>(lines);
  const double angle = kLabelSlant * std::numbers::pi / 180;
  double longest = 0;
  for (std::size_t g = 0; g < plot.groups.size(); ++g) {
    frame.labels[g] = {shortened(plot.groups[g].label, kLongestLabel)};
    const double length = text_extent(frame.labels[g].front(), kTextWidth);
    longest = std::max(longest, length);
    frame.left = std::max(frame.left, length * std::cos(angle) - (static_cast<double>(g) + 0.5) * frame.slot);
  }
  return 24 + longest * std::sin(angle);
}

// Returns the y below the legend.
double place_legend(const BarPlot& plot, BarFrame& frame, double room, double y) {
  if (plot.series.size() < 2) return y;
  double x = 0;
  y += 18;
  for (const std::string& name : plot.series) {
    const double width = 17 + text_extent(name, kTextWidth);
    if (x > 0 && x + width > room) {
      x = 0;
      y += 20;
    }
    frame.legend.push_back({x, y});
    x += width + 18;
  }
  return y + 4;
}

}  // namespace

BarFrame make_bar_frame(const BarPlot& plot) {
  BarFrame frame{.bars = bars_of(plot)};
  double low = 0;
  double high = 0;
  for (const Bar& bar : frame.bars) {
    low = std::min(low, bar.low);
    high = std::max(high, bar.high);
  }
  // Room for the numbers below the lowest bars.
  if (low < 0) low -= 0.07 * (high - low);
  frame.axis = low < high ? make_value_axis(low, high) : ValueAxis{};
  frame.decimals = plot.decimals >= 0 ? plot.decimals : frame.axis.decimals + 1;

  for (const double end : {frame.axis.low, frame.axis.high}) {
    frame.left = std::max(frame.left, 8 + text_extent(number_text(end, frame.axis.decimals), kSmallWidth));
  }
  const auto groups = static_cast<double>(plot.groups.size());
  const auto series = static_cast<double>(plot.series.size());
  frame.slot = std::clamp(kUsualPlot / groups, series * kNarrowestBar + 12, series * kWidestBar + 30);
  frame.slot = std::max(frame.slot, (kNarrowestPlot - frame.left) / groups);
  frame.bar_width = std::min(kWidestBar, (frame.slot - std::max(10.0, frame.slot * 0.15)) / series);
  const double labels = place_labels(plot, frame);
  frame.width = frame.left + groups * frame.slot;
  for (Bar& bar : frame.bars) {
    bar.x = frame.left + (static_cast<double>(bar.group) + 0.5) * frame.slot +
            (static_cast<double>(bar.series) - series / 2) * frame.bar_width;
  }
  write_values(frame);

  const double room = std::min(frame.width, kTextRoom);
  frame.title = fitted_lines(plot.title, room, kTitleWidth);
  frame.note = fitted_lines(plot.note, room, kSmallWidth);
  const double legend = place_legend(plot, frame, room, kTitleLine * static_cast<double>(frame.title.size()));
  frame.top = legend + 46;
  frame.height = frame.top + kPlotHeight + labels + 6 + kTextLine * static_cast<double>(frame.note.size());
  return frame;
}

}  // namespace terragen::evaluation
