#include "terragen/training/train_log.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <fstream>
#include <sstream>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/canvas.h"
#include "terragen/core/error.h"
#include "terragen/core/png.h"

namespace terragen::training {
namespace {

struct Record {
  std::int64_t step;
  double loss;
};

std::vector<Record> records_of(const std::filesystem::path& file) {
  std::vector<Record> records;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json.contains("loss") && json["loss"].is_number()) {
      records.push_back({json["step"].get<std::int64_t>(), json["loss"].get<double>()});
    }
  }
  return records;
}

}  // namespace

TrainLog::TrainLog(std::filesystem::path run, std::int64_t first_step)
    : file_(run / "log.jsonl"), picture_(run / "loss.png") {
  if (!std::filesystem::exists(file_)) return;
  std::istringstream old(read_file(file_));
  std::string kept;
  for (std::string line; std::getline(old, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.value("step", std::int64_t{0}) <= first_step) kept += line + "\n";
  }
  write_file(file_, kept);
}

void TrainLog::append(std::int64_t step, const Scalars& scalars) {
  Json line = {{"step", step}};
  for (const auto& [name, value] : scalars) line[name] = value;
  std::ofstream stream(file_, std::ios::app);
  stream << line.dump() << "\n";
  stream.flush();
  if (!stream) throw DataError(file_.string(), "cannot be written");
}

void TrainLog::draw_curve() const {
  const std::vector<Record> records = records_of(file_);
  if (records.size() < 2) return;
  constexpr int kWidth = 900;
  constexpr int kHeight = 420;
  constexpr int kLeft = 80;
  constexpr int kTop = 20;
  constexpr int kRight = kWidth - 20;
  constexpr int kBottom = kHeight - 40;
  // The scale ignores the first steps' peaks, which say nothing.
  std::vector<double> sorted;
  for (const Record& record : records) sorted.push_back(record.loss);
  std::ranges::sort(sorted);
  const double low = sorted.front();
  const double high = std::max(low + 1e-9, sorted[sorted.size() * 98 / 100]);
  const double last = static_cast<double>(std::max<std::int64_t>(1, records.back().step));
  const auto x_of = [&](std::int64_t step) { return kLeft + static_cast<double>(step) / last * (kRight - kLeft); };
  const auto y_of = [&](double loss) {
    return kBottom - (std::clamp(loss, low, high) - low) / (high - low) * (kBottom - kTop);
  };
  Canvas canvas(kWidth, kHeight, {255, 255, 255});
  for (int i = 0; i <= 4; ++i) {
    const double loss = low + (high - low) * i / 4;
    canvas.line(kLeft, y_of(loss), kRight, y_of(loss), {225, 225, 225});
    canvas.text(8, static_cast<int>(y_of(loss)) - 3, std::format("{:.4f}", loss), {60, 60, 60});
    const auto step = static_cast<std::int64_t>(last * i / 4);
    canvas.text(static_cast<int>(x_of(step)) - 12, kBottom + 12, std::to_string(step), {60, 60, 60});
  }
  double mean = records.front().loss;
  for (std::size_t i = 1; i < records.size(); ++i) {
    canvas.line(x_of(records[i - 1].step), y_of(records[i - 1].loss), x_of(records[i].step), y_of(records[i].loss),
                {180, 200, 230});
  }
  for (std::size_t i = 1; i < records.size(); ++i) {
    const double before = mean;
    mean += 0.05 * (records[i].loss - mean);
    canvas.line(x_of(records[i - 1].step), y_of(before), x_of(records[i].step), y_of(mean), {200, 40, 40}, 2);
  }
  canvas.text(kLeft, 6, "loss by step, running mean in red", {60, 60, 60});
  write_png(picture_, canvas);
}

}  // namespace terragen::training
