#include "terragen/evaluation/usefulness_report.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>
#include <set>

#include "terragen/evaluation/html_report.h"
#include "terragen/evaluation/markup.h"
#include "terragen/evaluation/sample_pictures.h"
#include "terragen/evaluation/seed_statistics.h"

namespace terragen::evaluation {
namespace {

struct Key {
  std::string dataset;
  int tiles;
  std::string method;
  auto operator<=>(const Key&) const = default;
};
using Scores = std::map<Key, SeedValues>;

UsefulnessRow row_of(const Scores& scores, const Key& key) {
  const auto of = [&](const std::string& method) {
    const auto found = scores.find({key.dataset, key.tiles, method});
    return found == scores.end() ? nullptr : &found->second;
  };
  UsefulnessRow row{seed_figure(scores.at(key), of("real"), of("copy-paste"))};
  row.dataset = key.dataset;
  row.tiles = key.tiles;
  row.method = key.method;
  return row;
}

std::string signed_text(double value) {
  return std::isnan(value) ? "–" : (value > 0 ? "+" : "") + number_text(value, 1);
}

// Seconds, operations and images by method.
struct Cost {
  int cells = 0;
  double made = 0, rejected = 0, make = 0, judge = 0, train = 0, test = 0;
  double train_flops = 0, make_flops = 0, judge_flops = 0;
};
std::map<std::string, Cost> costs_of(const std::vector<UsefulnessCell>& cells) {
  std::map<std::string, Cost> costs;
  for (const UsefulnessCell& cell : cells) {
    Cost& cost = costs[cell.method];
    ++cost.cells;
    cost.made += cell.made;
    cost.rejected += cell.rejected;
    cost.make += cell.make_seconds;
    cost.judge += cell.judge_seconds;
    cost.train += cell.train_seconds;
    cost.test += cell.test_seconds;
    cost.train_flops += cell.train_flops;
    cost.make_flops += cell.make_flops;
    cost.judge_flops += cell.judge_flops;
  }
  return costs;
}

ReportTable score_table(const std::vector<UsefulnessRow>& rows) {
  ReportTable table{.caption =
                        "Scores on test places, in points: mean and sample deviation over the seeds. Gains are "
                        "means of differences seed by seed.",
                    .columns = {"dataset", "training images", "method", "measure", "score", "±", "gain over real", "±",
                                "gain over copy-paste"}};
  for (const UsefulnessRow& row : rows) {
    table.rows.push_back({row.dataset.empty() ? "mean over datasets" : row.dataset, tiles_text(row.tiles), row.method,
                          row.measure, number_text(row.mean, 1), number_text(row.deviation, 1), signed_text(row.gain),
                          number_text(row.gain_deviation, 1), signed_text(row.gain_over_copy_paste)});
    table.emphasis.push_back(row.dataset.empty());
  }
  return table;
}

ReportTable class_table(const std::vector<UsefulnessCell>& cells) {
  ReportTable table{.caption = "By class, in points: mean over the seeds.",
                    .columns = {"dataset", "training images", "method", "class", "score"}};
  std::map<std::tuple<std::string, int, std::string, std::string>, std::vector<double>> scores;
  for (const UsefulnessCell& cell : cells) {
    for (const auto& [name, score] : cell.classes) {
      if (!std::isnan(score)) scores[{cell.dataset, cell.tiles, name, cell.method}].push_back(100 * score);
    }
  }
  for (const auto& [key, values] : scores) {
    const auto& [dataset, tiles, name, method] = key;
    table.rows.push_back({dataset, tiles_text(tiles), method, name, number_text(mean_of(values), 1)});
  }
  return table;
}

ReportTable cost_table(const std::vector<UsefulnessCell>& cells) {
  ReportTable table{.caption = "What a model costs, mean over all: operations are multiplications and additions.",
                    .columns = {"method", "new images", "rejected", "making, s", "judging, s", "images made a second",
                                "making, TFLOP", "judging, TFLOP", "training, s", "training, TFLOP", "testing, s"}};
  for (const auto& [method, cost] : costs_of(cells)) {
    const auto each = [&](double sum) { return sum / cost.cells; };
    table.rows.push_back({method, number_text(each(cost.made), 0), number_text(each(cost.rejected), 0),
                          number_text(each(cost.make), 1), number_text(each(cost.judge), 1),
                          cost.make > 0 ? number_text(cost.made / cost.make, 2) : "–",
                          number_text(each(cost.make_flops) / 1e12, 1), number_text(each(cost.judge_flops) / 1e12, 1),
                          number_text(each(cost.train), 1), number_text(each(cost.train_flops) / 1e12, 1),
                          number_text(each(cost.test), 1)});
  }
  return table;
}

BarPlot plot_of(const std::vector<UsefulnessRow>& rows, int tiles, const std::vector<std::string>& methods) {
  BarPlot plot{.title = tiles == 0 ? std::string("All training images") : std::format("{} training images", tiles),
               .axis = "score on test places (points)",
               .series = methods,
               .note = "Whiskers: sample deviation over the seeds; circles: single seeds."};
  for (const UsefulnessRow& row : rows) {
    if (row.tiles != tiles) continue;
    add_bar(plot, row.dataset.empty() ? "mean" : row.dataset, row.method,
            {.value = row.mean, .spread = row.deviation, .points = row.values});
  }
  return plot;
}

}  // namespace

std::vector<UsefulnessRow> usefulness_rows(const std::vector<UsefulnessCell>& cells) {
  Scores scores;
  std::vector<Key> order;
  std::map<std::string, const UsefulnessCell*> about;
  for (const UsefulnessCell& cell : cells) {
    const Key key{cell.dataset, cell.tiles, cell.method};
    if (!scores.contains(key)) order.push_back(key);
    SeedValues& own = scores[key];
    if (!std::isnan(cell.score)) own[cell.seed] = 100 * cell.score;
    about[cell.dataset] = &cell;
  }
  std::vector<UsefulnessRow> rows;
  for (const Key& key : order) {
    rows.push_back(row_of(scores, key));
    rows.back().task = about.at(key.dataset)->task;
    rows.back().measure = about.at(key.dataset)->measure;
  }
  if (about.size() < 2) return rows;
  // A mean over datasets is one only where every dataset has the seed.
  Scores means;
  std::vector<Key> mean_order;
  for (const Key& key : order) {
    const Key mean{"", key.tiles, key.method};
    if (means.contains(mean)) continue;
    std::map<int, std::vector<double>> by_seed;
    for (const auto& [name, cell] : about) {
      const auto own = scores.find({name, key.tiles, key.method});
      if (own == scores.end()) continue;
      for (const auto& [seed, score] : own->second) by_seed[seed].push_back(score);
    }
    for (const auto& [seed, values] : by_seed) {
      if (values.size() == about.size()) means[mean][seed] = mean_of(values);
    }
    if (means.contains(mean)) mean_order.push_back(mean);
  }
  for (const Key& key : mean_order) {
    rows.push_back(row_of(means, key));
    rows.back().measure = "mIoU, AP50";
  }
  return rows;
}

double total_seconds(const std::vector<UsefulnessCell>& cells) {
  double total = 0;
  for (const UsefulnessCell& cell : cells) {
    total += cell.train_seconds + cell.test_seconds;
    const bool shared =
        cell.method == "terragen-unfiltered" && std::ranges::any_of(cells, [&](const UsefulnessCell& other) {
          return other.method == "terragen" && other.dataset == cell.dataset && other.tiles == cell.tiles &&
                 other.seed == cell.seed;
        });
    if (!shared) total += cell.make_seconds + cell.judge_seconds;
  }
  return total;
}

Json to_json(const UsefulnessRun& run) {
  Json json{{"settings", run.settings}, {"seconds", run.seconds},  {"peak_memory_bytes", run.peak_memory},
            {"table", Json::array()},   {"costs", Json::object()}, {"cells", Json::array()}};
  for (const UsefulnessRow& row : usefulness_rows(run.cells)) {
    json["table"].push_back({{"dataset", row.dataset.empty() ? "mean" : row.dataset},
                             {"task", row.task},
                             {"measure", row.measure},
                             {"tiles", row.tiles == 0 ? Json("all") : Json(row.tiles)},
                             {"method", row.method},
                             {"scores", row.values},
                             {"mean", number_or_null(row.mean)},
                             {"deviation", number_or_null(row.deviation)},
                             {"gain", number_or_null(row.gain)},
                             {"gain_deviation", number_or_null(row.gain_deviation)},
                             {"gain_over_copy_paste", number_or_null(row.gain_over_copy_paste)}});
  }
  for (const auto& [method, cost] : costs_of(run.cells)) {
    json["costs"][method] = {{"models", cost.cells},          {"made", cost.made},
                             {"rejected", cost.rejected},     {"make_seconds", cost.make},
                             {"judge_seconds", cost.judge},   {"train_seconds", cost.train},
                             {"test_seconds", cost.test},     {"train_flops", cost.train_flops},
                             {"make_flops", cost.make_flops}, {"judge_flops", cost.judge_flops}};
  }
  for (const UsefulnessCell& cell : run.cells) json["cells"].push_back(to_json(cell));
  return json;
}

std::string usefulness_text(const std::vector<UsefulnessRow>& rows) {
  std::string text = std::format("{:<22} {:>6} {:<20} {:>10} {:>7} {:>6} {:>7} {:>6} {:>12}\n", "dataset", "images",
                                 "method", "measure", "points", "+-", "gain", "+-", "- copy-paste");
  const auto value = [](double x, bool sign) {
    if (std::isnan(x)) return std::string("-");
    return sign ? std::format("{:+.1f}", x) : std::format("{:.1f}", x);
  };
  for (const UsefulnessRow& row : rows) {
    text += std::format("{:<22} {:>6} {:<20} {:>10} {:>7} {:>6} {:>7} {:>6} {:>12}\n",
                        row.dataset.empty() ? "mean over datasets" : row.dataset, tiles_text(row.tiles), row.method,
                        row.measure, value(row.mean, false), value(row.deviation, false), value(row.gain, true),
                        value(row.gain_deviation, false), value(row.gain_over_copy_paste, true));
  }
  return text;
}

void write_usefulness_page(const UsefulnessRun& run, const std::filesystem::path& output,
                           const std::filesystem::path& page) {
  const std::vector<UsefulnessRow> rows = usefulness_rows(run.cells);
  std::vector<std::string> methods;
  std::vector<int> levels;
  std::set<std::string> datasets;
  for (const UsefulnessRow& row : rows) {
    if (std::ranges::find(methods, row.method) == methods.end()) methods.push_back(row.method);
    if (std::ranges::find(levels, row.tiles) == levels.end()) levels.push_back(row.tiles);
    if (!row.dataset.empty()) datasets.insert(row.dataset);
  }
  HtmlReport report("Usefulness of new images",
                    std::format("{} models on {} datasets, tested on places that neither they nor the generator was "
                                "trained on. Every model had the same number of steps and the same augmentation.",
                                run.cells.size(), datasets.size()));
  report.heading("Scores");
  for (const int tiles : levels) report.plot(plot_of(rows, tiles, methods));
  report.table(score_table(rows));
  report.heading("Classes");
  report.table(class_table(run.cells));
  report.heading("Costs");
  report.paragraph(std::format("All models together took {:.0f} s; peak memory {:.0f} MiB.", run.seconds,
                               static_cast<double>(run.peak_memory) / (1 << 20)));
  report.table(cost_table(run.cells));
  report.heading("Examples");
  for (const auto& [picture, caption] : sample_pictures(output / "made", 8)) report.picture(picture, caption);
  report.heading("Settings");
  report.code(run.settings.dump(2));
  report.write(page);
}

}  // namespace terragen::evaluation
