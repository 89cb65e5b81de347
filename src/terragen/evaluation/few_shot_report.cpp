#include "terragen/evaluation/few_shot_report.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include "terragen/evaluation/html_report.h"
#include "terragen/evaluation/markup.h"
#include "terragen/evaluation/sample_pictures.h"
#include "terragen/evaluation/seed_statistics.h"

namespace terragen::evaluation {
namespace {

struct FewShotKey {
  std::string novel;
  std::string method;
  std::string architecture;
  auto operator<=>(const FewShotKey&) const = default;
};

struct SeedScores {
  SeedValues novel_iou, base_iou, score;
};
using FewShotScores = std::map<FewShotKey, SeedScores>;
using Measure = SeedValues SeedScores::*;

SeedFigure figure_of(const FewShotScores& scores, const FewShotKey& key, Measure measure) {
  const auto of = [&](const std::string& method) {
    const auto found = scores.find({key.novel, method, key.architecture});
    return found == scores.end() ? nullptr : &(found->second.*measure);
  };
  return seed_figure(scores.at(key).*measure, of("real"), of("copy-paste"));
}

FewShotRow few_shot_row(const FewShotScores& scores, const FewShotKey& key) {
  return {key.novel,
          key.method,
          key.architecture,
          figure_of(scores, key, &SeedScores::novel_iou),
          figure_of(scores, key, &SeedScores::base_iou),
          figure_of(scores, key, &SeedScores::score)};
}

// Mean over the novel classes, of the seeds that all of them have.
SeedScores mean_over_classes(const std::vector<const SeedScores*>& classes) {
  SeedScores mean;
  for (const Measure measure : {&SeedScores::novel_iou, &SeedScores::base_iou, &SeedScores::score}) {
    for (const auto& [seed, ignored] : classes.front()->*measure) {
      std::vector<double> values;
      for (const SeedScores* one : classes) {
        if (const auto found = (one->*measure).find(seed); found != (one->*measure).end()) {
          values.push_back(found->second);
        }
      }
      if (values.size() == classes.size()) (mean.*measure)[seed] = mean_of(values);
    }
  }
  return mean;
}

Json figure_json(const SeedFigure& figure) {
  return {{"values", figure.values},
          {"mean", number_or_null(figure.mean)},
          {"deviation", number_or_null(figure.deviation)},
          {"gain", number_or_null(figure.gain)},
          {"gain_deviation", number_or_null(figure.gain_deviation)},
          {"gain_over_copy_paste", number_or_null(figure.gain_over_copy_paste)}};
}

std::string novel_name(const FewShotRow& row) { return row.novel.empty() ? "mean over classes" : row.novel; }

ReportTable figures_table(const std::vector<FewShotRow>& rows) {
  ReportTable table{.caption =
                        "IoU on test places, in points: mean and sample deviation over the seeds; gains are means "
                        "of differences seed by seed. Score: 0.4 base + 0.6 novel.",
                    .columns = {"novel class", "segmenter", "method", "novel", "±", "gain", "±", "over copy-paste",
                                "base", "±", "gain", "score"}};
  for (const FewShotRow& row : rows) {
    table.rows.push_back({novel_name(row), row.architecture, row.method, number_text(row.novel_iou.mean, 1),
                          number_text(row.novel_iou.deviation, 1), number_text(row.novel_iou.gain, 1),
                          number_text(row.novel_iou.gain_deviation, 1),
                          number_text(row.novel_iou.gain_over_copy_paste, 1), number_text(row.base_iou.mean, 1),
                          number_text(row.base_iou.deviation, 1), number_text(row.base_iou.gain, 1),
                          number_text(row.score.mean, 1)});
    table.emphasis.push_back(row.novel.empty());
  }
  return table;
}

// What making the images took, summed over the cells of one architecture: images are made once for all.
std::map<std::string, Json> making_costs(const std::vector<FewShotCell>& cells) {
  std::map<std::string, Json> costs;
  for (const FewShotCell& cell : cells) {
    if (cell.made.is_null() || cell.architecture != cells.front().architecture) continue;
    Json& sum = costs.try_emplace(cell.method, Json{{"outside", Json::object()}}).first->second;
    for (const auto& [key, value] : cell.made.items()) {
      if (!value.is_number() || key.ends_with("threshold")) continue;
      const double before = sum.value(key, 0.0);
      const auto own = value.get<double>();
      sum[key] = key.ends_with("memory_bytes") ? std::max(before, own) : before + own;
    }
    for (const auto& [key, value] : cell.made.at("outside").items()) {
      Json& outside = sum["outside"];
      outside[key] = outside.value(key, std::int64_t{0}) + value.get<std::int64_t>();
    }
  }
  return costs;
}

ReportTable making_table(const std::vector<FewShotCell>& cells) {
  ReportTable table{.caption = "What an accepted object costs by stage: seconds, and the process's peak memory in MiB.",
                    .columns = {"method", "placed", "accepted", "accepted, %", "of these pasted", "placing", "painting",
                                "refining", "filtering", "writing", "all, s", "bytes changed outside"}};
  for (const auto& [method, cost] : making_costs(cells)) {
    const double placed = cost.at("placed");
    const double accepted = cost.at("accepted");
    const auto each = [&, &sums = cost](const std::string& stage) {
      return std::format("{} ({})", number_text(sums.at(stage + "_seconds").get<double>() / std::max(1.0, accepted), 3),
                         number_text(sums.at(stage + "_memory_bytes").get<double>() / (1 << 20), 0));
    };
    table.rows.push_back({method, number_text(placed, 0), number_text(accepted, 0),
                          number_text(100 * accepted / std::max(1.0, placed), 0),
                          number_text(cost.at("pasted").get<double>(), 0), each("placing"), each("painting"),
                          each("refining"), each("filtering"), each("writing"),
                          number_text(cost.at("seconds").get<double>() / std::max(1.0, accepted), 3),
                          std::to_string(cost.at("outside").at("differing").get<std::int64_t>())});
  }
  return table;
}

BarPlot novel_plot(const std::vector<FewShotRow>& rows, const std::string& architecture,
                   const std::vector<std::string>& methods) {
  BarPlot plot{.title = architecture,
               .axis = "IoU of the novel class (points)",
               .series = methods,
               .note = "Whiskers: sample deviation over the seeds; circles: single seeds."};
  for (const FewShotRow& row : rows) {
    if (row.architecture != architecture) continue;
    add_bar(plot, row.novel.empty() ? "mean" : row.novel, row.method,
            {.value = row.novel_iou.mean, .spread = row.novel_iou.deviation, .points = row.novel_iou.values});
  }
  return plot;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

std::vector<FewShotRow> few_shot_rows(const std::vector<FewShotCell>& cells) {
  FewShotScores scores;
  std::vector<FewShotKey> order;
  std::vector<std::string> classes;
  for (const FewShotCell& cell : cells) {
    const FewShotKey key{cell.novel, cell.method, cell.architecture};
    if (!scores.contains(key)) order.push_back(key);
    add_once(classes, cell.novel);
    SeedScores& own = scores[key];
    // What could not be measured has no part in means.
    if (std::isfinite(cell.novel_iou)) own.novel_iou[cell.seed] = 100 * cell.novel_iou;
    if (std::isfinite(cell.base_iou)) own.base_iou[cell.seed] = 100 * cell.base_iou;
    if (std::isfinite(cell.score)) own.score[cell.seed] = 100 * cell.score;
  }
  std::vector<FewShotRow> rows;
  for (const FewShotKey& key : order) rows.push_back(few_shot_row(scores, key));
  if (classes.size() < 2) return rows;
  FewShotScores means;
  std::vector<FewShotKey> mean_order;
  for (const FewShotKey& key : order) {
    const FewShotKey mean{"", key.method, key.architecture};
    if (means.contains(mean)) continue;
    std::vector<const SeedScores*> all;
    for (const std::string& novel : classes) {
      if (const auto own = scores.find({novel, key.method, key.architecture}); own != scores.end()) {
        all.push_back(&own->second);
      }
    }
    if (all.size() != classes.size()) continue;
    means[mean] = mean_over_classes(all);
    mean_order.push_back(mean);
  }
  for (const FewShotKey& key : mean_order) rows.push_back(few_shot_row(means, key));
  return rows;
}

double total_seconds(const std::vector<FewShotCell>& cells) {
  double total = 0;
  for (const FewShotCell& cell : cells) total += cell.train_seconds + cell.test_seconds;
  for (const auto& [method, cost] : making_costs(cells)) total += cost.at("seconds").get<double>();
  return total;
}

Json to_json(const FewShotRun& run) {
  Json json{{"settings", run.settings},
            {"seconds", run.seconds},
            {"peak_memory_bytes", run.peak_memory},
            {"table", Json::array()},
            {"making", making_costs(run.cells)},
            {"cells", Json::array()}};
  for (const FewShotRow& row : few_shot_rows(run.cells)) {
    json["table"].push_back({{"novel", row.novel.empty() ? "mean" : row.novel},
                             {"method", row.method},
                             {"architecture", row.architecture},
                             {"novel_iou", figure_json(row.novel_iou)},
                             {"base_iou", figure_json(row.base_iou)},
                             {"score", figure_json(row.score)}});
  }
  for (const FewShotCell& cell : run.cells) json["cells"].push_back(to_json(cell));
  return json;
}

std::string few_shot_text(const std::vector<FewShotRow>& rows) {
  const auto value = [](double x) { return std::isnan(x) ? std::string("-") : std::format("{:.1f}", x); };
  const auto gain = [](double x) { return std::isnan(x) ? std::string("-") : std::format("{:+.1f}", x); };
  std::string text =
      std::format("{:<18} {:<14} {:<20} {:>6} {:>5} {:>6} {:>5} {:>12} {:>6} {:>6} {:>6}\n", "novel class", "segmenter",
                  "method", "novel", "+-", "gain", "+-", "- copy-paste", "base", "gain", "score");
  for (const FewShotRow& row : rows) {
    text += std::format("{:<18} {:<14} {:<20} {:>6} {:>5} {:>6} {:>5} {:>12} {:>6} {:>6} {:>6}\n", novel_name(row),
                        row.architecture, row.method, value(row.novel_iou.mean), value(row.novel_iou.deviation),
                        gain(row.novel_iou.gain), value(row.novel_iou.gain_deviation),
                        gain(row.novel_iou.gain_over_copy_paste), value(row.base_iou.mean), gain(row.base_iou.gain),
                        value(row.score.mean));
  }
  return text;
}

void write_few_shot_page(const FewShotRun& run, const std::filesystem::path& output,
                         const std::filesystem::path& page) {
  const std::vector<FewShotRow> rows = few_shot_rows(run.cells);
  std::vector<std::string> methods;
  std::vector<std::string> architectures;
  std::vector<std::string> classes;
  for (const FewShotCell& cell : run.cells) {
    add_once(methods, cell.method);
    add_once(architectures, cell.architecture);
    add_once(classes, cell.novel);
  }
  HtmlReport report(
      "A class of which there are few examples",
      std::format("{} segmenters, each trained on a dataset from which one class was withheld but for a few "
                  "examples, tested on places that neither they nor the generator was trained on. Every "
                  "one had the same number of steps and the same augmentation.",
                  run.cells.size()));
  report.heading("Scores");
  for (const std::string& architecture : architectures) report.plot(novel_plot(rows, architecture, methods));
  report.table(figures_table(rows));
  report.heading("Costs");
  report.paragraph(std::format("All models together took {:.0f} s; peak memory {:.0f} MiB.", run.seconds,
                               static_cast<double>(run.peak_memory) / (1 << 20)));
  report.table(making_table(run.cells));
  report.heading("Examples");
  for (const std::string& novel : classes) {
    for (const auto& [picture, caption] : sample_pictures(output / novel, 6, "made_")) {
      report.picture(picture, std::format("{}: {}", novel, caption));
    }
  }
  report.heading("Settings");
  report.code(run.settings.dump(2));
  report.write(page);
}

}  // namespace terragen::evaluation
