#include "terragen/evaluation/bar_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <string_view>

#include "terragen/core/error.h"
#include "terragen/evaluation/bar_frame.h"
#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

// Okabe and Ito's palette ("Color Universal Design", 2008), its black, which a dark page would hide, replaced by grey.
// Ordered so that the first few differ most in lightness too.
constexpr std::array<const char*, kMostBarSeries> kBarColors{"#0072B2", "#E69F00", "#009E73", "#CC79A7",
                                                             "#56B4E9", "#D55E00", "#F0E442", "#8C8C8C"};

// On a narrow screen a plot shrinks so far, while its numbers can be read, and then scrolls.
constexpr double kSmallestScale = 0.75;

void check_groups(const BarPlot& plot) {
  const std::size_t series = plot.series.size();
  if (series == 0 || series > kMostBarSeries || plot.groups.empty()) {
    throw InternalError(std::format("[bar_plot_svg] {} series, {} groups", series, plot.groups.size()));
  }
  for (const BarGroup& group : plot.groups) {
    const auto fits = [&](std::size_t size) { return size == series || size == 0; };
    if (group.values.size() != series || !fits(group.spreads.size()) || !fits(group.points.size())) {
      throw InternalError(std::format("[bar_plot_svg] group \"{}\" does not have {} values", group.label, series));
    }
  }
}

std::string text_line(double x, double y, std::string_view attributes, std::string_view words) {
  return std::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, attributes, escaped(words));
}

// "forest, base model: 43.2 ± 0.5".
std::string bar_in_words(const BarPlot& plot, const Bar& bar, const BarGroup& group, int decimals) {
  const std::string name = plot.series.size() > 1 ? group.label + ", " + plot.series[bar.series] : group.label;
  const std::string spread = bar.spread > 0 ? " ± " + number_text(bar.spread, decimals) : "";
  return name + ": " + number_text(bar.value, decimals) + spread;
}

std::string heading_lines(const BarPlot& plot, const BarFrame& frame) {
  std::string out;
  double y = kTitleLine;
  for (const std::string& line : frame.title) {
    out += text_line(0, y - 5, "font-size=\"15\" font-weight=\"600\"", line);
    y += kTitleLine;
  }
  for (std::size_t s = 0; s < frame.legend.size(); ++s) {
    const LegendEntry& entry = frame.legend[s];
    out += std::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"11\" height=\"11\" rx=\"2\" fill=\"{}\" stroke=\"currentColor\" "
        "stroke-opacity=\".35\"/>\n",
        entry.x + 0.5, entry.y - 10, kBarColors[s]);
    out += text_line(entry.x + 17, entry.y, "", plot.series[s]);
  }
  return out + text_line(0, frame.top - 22, "font-size=\"12\" fill-opacity=\".75\"", plot.axis);
}

std::string gridlines(const BarFrame& frame) {
  std::string out;
  for (int i = 0; i <= frame.axis.intervals; ++i) {
    const double value = frame.axis.low + i * frame.axis.step;
    const double y = frame.y(value);
    const bool zero = std::abs(value) < frame.axis.step / 2;
    out += std::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"currentColor\" "
        "stroke-opacity=\"{}\"/>\n",
        frame.left, y, frame.width, y, zero ? ".6" : ".15");
    out += text_line(frame.left - 6, y + 4, "font-size=\"12\" text-anchor=\"end\" fill-opacity=\".75\"",
                     number_text(value, frame.axis.decimals));
  }
  return out;
}

std::string drawn_bar(const BarFrame& frame, const Bar& bar, const std::string& words) {
  const double zero = frame.y(0);
  const double end = frame.y(bar.value);
  const double middle = bar.x + frame.bar_width / 2;
  std::string out = std::format(
      "<g><title>{}</title><rect class=\"bar\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
      "fill=\"{}\" stroke=\"currentColor\" stroke-opacity=\".35\"/>\n",
      escaped(words), bar.x, std::min(zero, end), frame.bar_width, std::abs(zero - end), kBarColors[bar.series]);
  // Side by side, so that runs that agree do not hide each other.
  const auto points = static_cast<double>(bar.points.size());
  const double apart = std::min(9.0, frame.bar_width * 0.7 / std::max(1.0, points));
  double x = middle - apart * (points - 1) / 2;
  for (const double point : bar.points) {
    out += std::format(
        "<circle class=\"point\" cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"2.2\" fill=\"var(--page,#fff)\" "
        "stroke=\"currentColor\"/>\n",
        x, frame.y(point));
    x += apart;
  }
  if (bar.spread > 0) {
    const double cap = std::min(5.0, frame.bar_width / 4);
    const double upper = frame.y(bar.value + bar.spread);
    const double lower = frame.y(bar.value - bar.spread);
    out += std::format(
        "<path class=\"whisker\" d=\"M{0:.2f} {2:.2f}H{1:.2f}M{4:.2f} {2:.2f}V{3:.2f}M{0:.2f} {3:.2f}H{1:.2f}\" "
        "stroke=\"currentColor\" stroke-width=\"1.5\"/>\n",
        middle - cap, middle + cap, upper, lower, middle);
  }
  if (!bar.written.empty()) {
    const double y = bar.value < 0 ? frame.y(bar.low) + 14 : frame.y(bar.high) - 6;
    out += text_line(middle, y, "font-size=\"11\" text-anchor=\"middle\"", bar.written);
  }
  return out + "</g>\n";
}

std::string group_labels(const BarPlot& plot, const BarFrame& frame) {
  std::string out;
  const double below = frame.top + kPlotHeight;
  for (std::size_t g = 0; g < plot.groups.size(); ++g) {
    const double middle = frame.left + (static_cast<double>(g) + 0.5) * frame.slot;
    double y = below + 18;
    for (const std::string& line : frame.labels[g]) {
      const std::string turn =
          frame.slanted ? std::format(" transform=\"rotate({} {:.1f} {:.1f})\"", -kLabelSlant, middle, y) : "";
      const double x = frame.slanted ? middle + 4 : middle;
      out += text_line(x, y, std::format("text-anchor=\"{}\"{}", frame.slanted ? "end" : "middle", turn), line);
      y += kTextLine;
    }
  }
  double y = frame.height - kTextLine * static_cast<double>(frame.note.size()) + 12;
  for (const std::string& line : frame.note) {
    out += text_line(0, y, "font-size=\"12\" fill-opacity=\".75\"", line);
    y += kTextLine;
  }
  return out;
}

}  // namespace

void add_bar(BarPlot& plot, const std::string& label, const std::string& series, BarValue bar) {
  auto group = std::ranges::find(plot.groups, label, &BarGroup::label);
  if (group == plot.groups.end()) {
    const std::vector<double> none(plot.series.size(), std::nan(""));
    plot.groups.push_back({label, none, none, std::vector<std::vector<double>>(plot.series.size())});
    group = std::prev(plot.groups.end());
  }
  const auto at = static_cast<std::size_t>(std::ranges::find(plot.series, series) - plot.series.begin());
  if (at == plot.series.size()) throw InternalError("[add_bar] the plot has no series " + series);
  group->values[at] = bar.value;
  group->spreads[at] = bar.spread;
  group->points[at] = std::move(bar.points);
}

std::string bar_plot_svg(const BarPlot& plot) {
  check_groups(plot);
  const BarFrame frame = make_bar_frame(plot);
  std::string bars;
  std::string description;
  for (const Bar& bar : frame.bars) {
    const std::string words = bar_in_words(plot, bar, plot.groups[bar.group], frame.decimals);
    description += (description.empty() ? "" : "; ") + words;
    bars += drawn_bar(frame, bar, words);
  }
  return std::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"system-ui,sans-serif\" font-size=\"13\" fill=\"currentColor\" "
      "style=\"width:100%;min-width:{8:.0f}px;max-width:{0:.0f}px;height:auto;font-variant-numeric:tabular-nums\">\n<"
      "title>{2}</title>\n<desc>{3}</desc>\n{4}{5}{6}{7}</svg>\n",
      frame.width, frame.height, escaped(plot.title), escaped(plot.axis + ". " + description),
      heading_lines(plot, frame), gridlines(frame), bars, group_labels(plot, frame), kSmallestScale * frame.width);
}

}  // namespace terragen::evaluation
