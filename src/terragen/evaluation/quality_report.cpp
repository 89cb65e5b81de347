#include "terragen/evaluation/quality_report.h"

#include <algorithm>
#include <format>

#include "terragen/core/comma_list.h"
#include "terragen/evaluation/html_report.h"
#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

Json distance_json(const SetDistance& distance) {
  return {{"made", distance.made},
          {"real", distance.real},
          {"frechet", distance.frechet},
          {"kernel", distance.kernel.mean},
          {"kernel_deviation", distance.kernel.deviation},
          {"precision", distance.among.precision},
          {"recall", distance.among.recall}};
}

std::string measured_images_text(const QualityReport& report) {
  std::string text = std::format("{} images of {} ({} split) against {} of {} ({} split), the middle {} pixels of each",
                                 report.painted.made, report.made, report.made_split, report.painted.real,
                                 comma_list(report.real), report.split, report.crop);
  if (report.left_out > 0) {
    text += std::format("; {} images of {} are not synthetic and were left out", report.left_out, report.made);
  }
  if (!report.told)
    text += std::format("; {} does not say what painted it, which may know the real images", report.made);
  return text + ".";
}

std::string floor_text(const QualityReport& report) {
  return std::format(
      "The floor is one random half of the real images against the other, {} against {}: what the figures are where "
      "nothing is painted.",
      report.floor.made, report.floor.real);
}

// Empty where there are images enough.
std::string bias_text(const QualityReport& report) {
  const std::int64_t fewest = std::min(report.painted.made, report.painted.real);
  if (fewest >= report.dimensions) return {};
  return std::format(
      "{} and {} images are fewer than the features' {} dimensions: the Frechet distance is then biased upwards, the "
      "more the fewer there are, and that of the halves ({} and {} images) still more. Compare it with figures of as "
      "many images only; the kernel distance has no such bias.",
      report.painted.made, report.painted.real, report.dimensions, report.floor.made, report.floor.real);
}

std::vector<std::string> distance_cells(const std::string& name, const SetDistance& distance) {
  return {name,
          std::format("{}", distance.made),
          std::format("{}", distance.real),
          number_text(distance.frechet, 3),
          number_text(distance.kernel.mean, 5),
          number_text(distance.kernel.deviation, 5),
          number_text(distance.among.precision, 3),
          number_text(distance.among.recall, 3)};
}

}  // namespace

Json to_json(const QualityReport& report) {
  return {{"made", report.made},
          {"made_split", report.made_split},
          {"real", report.real},
          {"split", report.split},
          {"crop", report.crop},
          {"network", report.network},
          {"network_sha256", report.network_hash},
          {"dimensions", report.dimensions},
          {"frechet_name", report.frechet_name},
          {"kernel_name", report.kernel_name},
          {"left_out", report.left_out},
          {"painter_told", report.told},
          {"painted_against_real", distance_json(report.painted)},
          {"real_against_real", distance_json(report.floor)},
          {"warning", bias_text(report)},
          {"seconds", report.seconds},
          {"peak_memory_bytes", report.peak_memory}};
}

std::string quality_text(const QualityReport& report) {
  std::string text = report.fid ? std::format("FID and KID, features of {}\n", report.network)
                                : std::format("{}\n", report.frechet_name);
  text += std::format("{:<24} {:>7} {:>7} {:>12} {:>12} {:>12} {:>10} {:>8}\n", "", "made", "real",
                      report.fid ? "FID" : "Frechet", report.fid ? "KID" : "kernel", "+-", "precision", "recall");
  const auto line = [&](const char* name, const SetDistance& distance) {
    text += std::format("{:<24} {:>7} {:>7} {:>12.4g} {:>12.4g} {:>12.4g} {:>10.3f} {:>8.3f}\n", name, distance.made,
                        distance.real, distance.frechet, distance.kernel.mean, distance.kernel.deviation,
                        distance.among.precision, distance.among.recall);
  };
  line("painted against real", report.painted);
  line("floor: real against real", report.floor);
  text += measured_images_text(report) + "\n" + floor_text(report) + "\n";
  if (const std::string bias = bias_text(report); !bias.empty()) text += "warning: " + bias + "\n";
  return text + std::format("{:.0f} s, peak memory {:.0f} MiB\n", report.seconds,
                            static_cast<double>(report.peak_memory) / (1 << 20));
}

void write_quality_page(const QualityReport& report, const std::filesystem::path& page) {
  HtmlReport html("Quality of painted images", measured_images_text(report));
  html.heading("Distances");
  BarPlot plot{.title = report.frechet_name,
               .axis = report.fid ? "FID" : "Frechet distance",
               .series = {report.fid ? "FID" : "Frechet distance"},
               .groups = {{"painted against real", {report.painted.frechet}, {}, {}},
                          {"real against real", {report.floor.frechet}, {}, {}}}};
  html.plot(plot);
  ReportTable table{.caption = report.fid ? "FID and KID, precision and recall."
                                          : std::format("{}, and {}.", report.frechet_name, report.kernel_name),
                    .columns = {"images", "made", "real", report.fid ? "FID" : "Frechet distance",
                                report.fid ? "KID" : "kernel distance", "±", "precision", "recall"}};
  table.rows = {distance_cells("painted against real", report.painted),
                distance_cells("real against real", report.floor)};
  html.table(table);
  html.paragraph(floor_text(report));
  if (const std::string bias = bias_text(report); !bias.empty()) html.paragraph("Warning: " + bias);
  html.paragraph(
      "Precision is the share of painted images that lie among the real ones, recall the share of real images that lie "
      "among the painted ones.");
  html.heading("Images");
  for (const auto& [picture, caption] : report.pictures) html.picture(picture, caption);
  html.heading("Settings");
  html.code(to_json(report).dump(2));
  html.write(page);
}

}  // namespace terragen::evaluation
