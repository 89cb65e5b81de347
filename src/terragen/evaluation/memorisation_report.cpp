#include "terragen/evaluation/memorisation_report.h"

#include <algorithm>
#include <format>

#include "terragen/core/comma_list.h"
#include "terragen/evaluation/html_report.h"
#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

constexpr std::size_t kNamed = 5;

Json set_json(const NeighbourSet& set) {
  Json neighbours = Json::array();
  for (const Neighbour& own : set.neighbours) {
    neighbours.push_back(
        {{"image", own.image}, {"x", own.x}, {"y", own.y}, {"real", own.real}, {"correlation", own.correlation}});
  }
  return {{"images", set.neighbours.size()},
          {"highest", set.highest()},
          {"median", set.median()},
          {"copies", set.at_least(kCopyCorrelation)},
          {"neighbours", neighbours}};
}

// Empty where all that the model learned from was searched.
std::string warning_text(const MemorisationReport& report) {
  if (!report.told) {
    return std::format("{} does not say what painted it, which may have learned from other datasets too.", report.made);
  }
  if (report.not_searched.empty()) return {};
  return std::format("The model learned from {} too, where nothing was looked for.", comma_list(report.not_searched));
}

std::string searched_text(const MemorisationReport& report) {
  return std::format(
      "Windows of {} pixels of {} painted images ({}), each looked for at every place of {} training images ({}), in "
      "eight orientations and three scales. The correlation is 1 for the same content at any brightness and contrast; "
      "a copy has {} or more, and so have windows of a single edge or slope by chance: what matters is whether more "
      "painted ones have it than real ones that no model saw.",
      report.crop, report.painted.neighbours.size(), report.made, report.training_images, comma_list(report.real),
      kCopyCorrelation);
}

std::vector<std::string> set_cells(const std::string& name, const NeighbourSet& set) {
  return {name, std::format("{}", set.neighbours.size()), number_text(set.highest(), 3), number_text(set.median(), 3),
          std::format("{}", set.at_least(kCopyCorrelation))};
}

}  // namespace

Json to_json(const MemorisationReport& report) {
  Json json = {{"made", report.made},           {"real", report.real},
               {"crop", report.crop},           {"training_images", report.training_images},
               {"copy_from", kCopyCorrelation}, {"not_searched", report.not_searched},
               {"painter_told", report.told},   {"painted", set_json(report.painted)},
               {"seconds", report.seconds},     {"peak_memory_bytes", report.peak_memory}};
  if (!report.unseen.neighbours.empty()) json["unseen"] = set_json(report.unseen);
  return json;
}

std::string memorisation_text(const MemorisationReport& report) {
  std::string text = searched_text(report) + "\n";
  text += std::format("{:<28} {:>7} {:>9} {:>8} {:>8}\n", "most alike training place", "images", "highest", "median",
                      std::format(">= {}", kCopyCorrelation));
  const auto line = [&](const char* name, const NeighbourSet& set) {
    text += std::format("{:<28} {:>7} {:>9.3f} {:>8.3f} {:>8}\n", name, set.neighbours.size(), set.highest(),
                        set.median(), set.at_least(kCopyCorrelation));
  };
  line("painted", report.painted);
  if (!report.unseen.neighbours.empty()) line("real, of test places", report.unseen);
  text += "most alike of the painted:\n";
  for (std::size_t i = 0; i < std::min(kNamed, report.painted.neighbours.size()); ++i) {
    const Neighbour& own = report.painted.neighbours[i];
    text += std::format("  {:.3f}  {} at ({}, {})  {}\n", own.correlation, own.image, own.x, own.y, own.real);
  }
  if (const std::string warning = warning_text(report); !warning.empty()) text += "warning: " + warning + "\n";
  return text + std::format("{:.0f} s, peak memory {:.0f} MiB\n", report.seconds,
                            static_cast<double>(report.peak_memory) / (1 << 20));
}

void write_memorisation_page(const MemorisationReport& report, const std::filesystem::path& page) {
  HtmlReport html("Painted images and what is most like them in training", searched_text(report));
  ReportTable table{.caption = "Correlation with the most alike place of a training image, by image.",
                    .columns = {"images", "number", "highest", "median", std::format(">= {}", kCopyCorrelation)}};
  table.rows.push_back(set_cells("painted", report.painted));
  if (!report.unseen.neighbours.empty()) table.rows.push_back(set_cells("real, of test places", report.unseen));
  html.table(table);
  if (const std::string warning = warning_text(report); !warning.empty()) html.paragraph("Warning: " + warning);
  html.heading("Images");
  html.picture(report.painted.picture,
               "The most alike window of every painted image, the most alike first; below each what it is most like.");
  if (!report.unseen.neighbours.empty()) {
    html.picture(report.unseen.picture, "The same of real images of test places, which no model has seen.");
  }
  html.heading("Figures");
  html.code(to_json(report).dump(2));
  html.write(page);
}

}  // namespace terragen::evaluation
