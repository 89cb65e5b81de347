#include "terragen/evaluation/fidelity_report.h"

#include <cmath>
#include <format>
#include <vector>

#include "terragen/evaluation/html_report.h"
#include "terragen/evaluation/markup.h"

namespace terragen::evaluation {
namespace {

Json pair_json(double painted, double real) {
  return {{"painted", number_or_null(painted)},
          {"real", number_or_null(real)},
          {"ratio", number_or_null(fidelity_ratio(painted, real))}};
}

// A line of the table: a dataset as a whole, or one of its classes.
struct FidelityRow {
  std::string dataset, task, about;
  std::size_t images = 0;
  double real = 0, painted = 0;
  bool whole = false;
};

std::vector<FidelityRow> fidelity_rows(const FidelityReport& report) {
  std::vector<FidelityRow> rows;
  for (const FidelityScore& score : report.scores) {
    rows.push_back({score.dataset, score.task, score.real.measure(), score.real.images, score.real.score(),
                    score.painted.score(), true});
    for (std::size_t k = 0; k < score.real.classes.size(); ++k) {
      const double real = score.real.class_score(k);
      const double painted = score.painted.class_score(k);
      if (std::isnan(real) && std::isnan(painted)) continue;
      rows.push_back({score.dataset, score.task, score.real.classes[k], score.real.images, real, painted, false});
    }
  }
  return rows;
}

// The same of the classifiers: accuracy, then that of the classes.
std::vector<FidelityRow> accuracy_rows(const FidelityReport& report) {
  std::vector<FidelityRow> rows;
  for (const FidelityScore& score : report.scores) {
    if (!score.accuracy) continue;
    const ClassificationReport& real = score.accuracy->real;
    const ClassificationReport& painted = score.accuracy->painted;
    const std::size_t images = score.accuracy->training_images;
    rows.push_back({score.dataset, score.task, "accuracy", images, real.accuracy, painted.accuracy, true});
    rows.push_back({score.dataset, score.task, "mean over classes", images, real.balanced_accuracy,
                    painted.balanced_accuracy, false});
    for (std::size_t k = 0; k < real.classes.size(); ++k) {
      if (real.class_windows[k] == 0) continue;
      rows.push_back({score.dataset, score.task, real.classes[k], images, real.class_accuracy[k],
                      painted.class_accuracy[k], false});
    }
  }
  return rows;
}

std::string rows_text(const std::vector<FidelityRow>& rows) {
  std::string text = std::format("{:<22} {:<14} {:<20} {:>7} {:>9} {:>9} {:>7}\n", "dataset", "task", "", "images",
                                 "real", "painted", "ratio");
  const auto figure = [](double value) { return std::isnan(value) ? std::string("-") : std::format("{:.4f}", value); };
  for (const FidelityRow& row : rows) {
    text += std::format("{:<22} {:<14} {:<20} {:>7} {:>9} {:>9} {:>7}\n", row.dataset, row.task,
                        row.whole ? row.about : "  " + row.about, row.images, figure(row.real), figure(row.painted),
                        figure(fidelity_ratio(row.painted, row.real)));
  }
  return text;
}

ReportTable rows_table(const std::string& caption, const std::vector<FidelityRow>& rows) {
  ReportTable table{.caption = caption, .columns = {"dataset", "task", "of", "images", "real", "painted", "ratio"}};
  for (const FidelityRow& row : rows) {
    table.rows.push_back({row.dataset, row.task, row.about, std::format("{}", row.images), number_text(row.real, 3),
                          number_text(row.painted, 3), number_text(fidelity_ratio(row.painted, row.real), 3)});
    table.emphasis.push_back(row.whole);
  }
  return table;
}

// Bars of the rows that stand for a whole dataset.
BarPlot whole_plot(const std::string& title, const std::string& axis, const std::vector<FidelityRow>& rows) {
  BarPlot plot{.title = title, .axis = axis, .series = {"real", "painted"}};
  for (const FidelityRow& row : rows) {
    if (row.whole) plot.groups.push_back({row.dataset, {row.real, row.painted}, {}, {}});
  }
  return plot;
}

constexpr const char* kAccuracyAbout =
    "Classification accuracy score: classifiers trained on as many real training images as the table says, and on "
    "images painted from their layouts, tested on windows of real images.";

std::string cost_text(const FidelityReport& report) {
  const auto painted = static_cast<double>(report.painted);
  return std::format(
      "{} images painted and looked at, {:.2f} a second, {:.2f} TFLOP each; {:.0f} s in all, peak memory {:.0f} MiB",
      report.painted, painted / report.painting_seconds, report.painting_flops / 1e12 / painted, report.seconds,
      static_cast<double>(report.peak_memory) / (1 << 20));
}

}  // namespace

Json to_json(const FidelityReport& report) {
  Json json{{"split", report.split},
            {"size", report.size},
            {"seed", report.seed},
            {"model_sha256", report.model_hash},
            {"judge_sha256", report.judge_hash},
            {"judge_architecture", report.judge_architecture},
            {"painting", synthesis::to_json(report.painting)},
            {"datasets", Json::array()},
            {"seconds", report.seconds},
            {"peak_memory_bytes", report.peak_memory},
            {"painted", report.painted},
            {"painting_seconds", report.painting_seconds},
            {"painting_flops", report.painting_flops}};
  for (const FidelityScore& score : report.scores) {
    Json entry = pair_json(score.painted.score(), score.real.score());
    entry["dataset"] = score.dataset;
    entry["task"] = score.task;
    entry["measure"] = score.real.measure();
    entry["images"] = score.real.images;
    entry["classes"] = Json::object();
    for (std::size_t k = 0; k < score.real.classes.size(); ++k) {
      entry["classes"][score.real.classes[k]] = pair_json(score.painted.class_score(k), score.real.class_score(k));
    }
    entry["real_in_full"] = to_json(score.real);
    entry["painted_in_full"] = to_json(score.painted);
    if (score.accuracy) entry["classification_accuracy_score"] = to_json(*score.accuracy);
    json["datasets"].push_back(std::move(entry));
  }
  return json;
}

std::string fidelity_text(const FidelityReport& report) {
  std::string text = rows_text(fidelity_rows(report));
  if (const auto rows = accuracy_rows(report); !rows.empty()) {
    text += std::format("\n{}\n{}", kAccuracyAbout, rows_text(rows));
  }
  return text + std::format("{} split, middle {} pixels, {} with {} steps, guidance {:g}\n{}\n", report.split,
                            report.size, report.painting.sampler, report.painting.steps, *report.painting.guidance,
                            cost_text(report));
}

void write_fidelity_page(const FidelityReport& report, const std::filesystem::path& page) {
  const std::vector<FidelityRow> rows = fidelity_rows(report);
  HtmlReport html("Fidelity of painted images",
                  std::format("What a {} finds of the layouts in images painted from them, against what it finds in "
                              "the real images of the same layouts ({} split).",
                              report.judge_architecture, report.split));
  html.heading("Layouts found");
  html.plot(whole_plot("Layouts found", report.scores.front().real.measure(), rows));
  html.table(rows_table("By dataset and class; the ratio is painted to real.", rows));
  if (const auto accuracies = accuracy_rows(report); !accuracies.empty()) {
    html.heading("Classification accuracy score");
    html.plot(whole_plot("Accuracy on real windows", "accuracy", accuracies));
    html.table(rows_table(kAccuracyAbout, accuracies));
  }
  html.heading("Images");
  for (const auto& [picture, caption] : report.pictures) html.picture(picture, caption);
  html.paragraph(cost_text(report));
  html.heading("Settings");
  html.code(Json{{"split", report.split},
                 {"size", report.size},
                 {"seed", report.seed},
                 {"painting", synthesis::to_json(report.painting)},
                 {"model_sha256", report.model_hash},
                 {"judge_sha256", report.judge_hash}}
                .dump(2));
  html.write(page);
}

}  // namespace terragen::evaluation
