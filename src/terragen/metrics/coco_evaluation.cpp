#include "terragen/metrics/coco_evaluation.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>
#include <numeric>
#include <optional>

#include "terragen/core/error.h"

namespace terragen::metrics {
namespace {

constexpr std::size_t kThresholds = 10;  // 0.50, 0.55 .. 0.95
constexpr std::size_t kRecalls = 101;    // 0.00, 0.01 .. 1.00
constexpr std::array<std::size_t, 3> kMostDetections{1, 10, 100};

struct AreaRange {
  double low, high;
};
constexpr std::array<AreaRange, 4> kAreas{{{0, 1e10}, {0, 1024}, {1024, 9216}, {9216, 1e10}}};

// `count` values from `first` to `last`, rounded as the benchmark's are: a recall of 7 / 20 misses its 0.35.
double spaced(double first, double last, std::size_t count, std::size_t i) {
  if (i + 1 == count) return last;
  return static_cast<double>(i) * ((last - first) / static_cast<double>(count - 1)) + first;
}

// The best detections of a group with their overlaps, sorted once for all area ranges.
struct Sorted {
  const DetectionGroup* group = nullptr;
  std::vector<std::size_t> detections;        // by falling score, at most 100
  std::vector<std::vector<double>> overlaps;  // [detection][truth]
};

Sorted sorted(const DetectionGroup& group) {
  Sorted result{&group, std::vector<std::size_t>(group.detections.size()), {}};
  std::iota(result.detections.begin(), result.detections.end(), std::size_t{0});
  std::ranges::stable_sort(result.detections, std::greater<>{},
                           [&](std::size_t d) { return group.detections[d].score; });
  if (result.detections.size() > kMostDetections.back()) result.detections.resize(kMostDetections.back());
  for (const std::size_t d : result.detections) {
    std::vector<double>& row = result.overlaps.emplace_back();
    for (std::size_t t = 0; t < group.truths.size(); ++t) row.push_back(group.overlap(d, t));
  }
  return result;
}

enum class Verdict : std::uint8_t { wrong, right, ignored };

// A group within one area range: how many truths count, and what became of every detection at every threshold.
struct Matched {
  std::size_t counted_truths = 0;
  std::vector<double> scores;
  std::array<std::vector<Verdict>, kThresholds> verdicts;
};

Matched match(const Sorted& from, const AreaRange& area) {
  const std::vector<TruthObject>& truths = from.group->truths;
  const auto outside = [&](double value) { return value < area.low || value > area.high; };
  std::vector<bool> ignored;
  for (const TruthObject& truth : truths) ignored.push_back(truth.crowd || outside(truth.area));
  std::vector<std::size_t> order(truths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_partition(order, [&](std::size_t t) { return !ignored[t]; });

  Matched result;
  result.counted_truths = static_cast<std::size_t>(std::ranges::count(ignored, false));
  for (const std::size_t d : from.detections) result.scores.push_back(from.group->detections[d].score);
  for (std::size_t i = 0; i < kThresholds; ++i) {
    std::vector<bool> taken(truths.size(), false);
    for (std::size_t d = 0; d < from.detections.size(); ++d) {
      double best = std::min(spaced(0.5, 0.95, kThresholds, i), 1.0 - 1e-10);
      std::optional<std::size_t> found;
      for (const std::size_t t : order) {
        if (taken[t] && !truths[t].crowd) continue;
        // Those that count come first: once one of them fits, those that are ignored are not asked.
        if (found && !ignored[*found] && ignored[t]) break;
        if (from.overlaps[d][t] < best) continue;
        best = from.overlaps[d][t];
        found = t;
      }
      if (found) taken[*found] = true;
      const bool leave_out = found ? ignored[*found] : outside(from.group->detections[from.detections[d]].area);
      result.verdicts[i].push_back(leave_out ? Verdict::ignored : found ? Verdict::right : Verdict::wrong);
    }
  }
  return result;
}

// Precision at the recall thresholds and the highest recall, of one category, area range and most detections.
struct Curve {
  std::array<double, kRecalls> precision{};
  double recall = 0;
};

std::optional<Curve> accumulate(const std::vector<Matched>& images, std::size_t most, std::size_t i) {
  std::size_t truths = 0;
  std::vector<std::pair<double, Verdict>> all;
  for (const Matched& image : images) {
    truths += image.counted_truths;
    for (std::size_t d = 0; d < std::min(most, image.scores.size()); ++d) {
      all.emplace_back(image.scores[d], image.verdicts[i][d]);
    }
  }
  if (truths == 0) return std::nullopt;
  std::ranges::stable_sort(all, std::greater<>{}, &std::pair<double, Verdict>::first);
  std::vector<double> recalls;
  std::vector<double> precisions;
  double right = 0;
  double wrong = 0;
  for (const auto& [score, verdict] : all) {
    right += verdict == Verdict::right ? 1 : 0;
    wrong += verdict == Verdict::wrong ? 1 : 0;
    recalls.push_back(right / static_cast<double>(truths));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  for (std::size_t k = precisions.size(); k > 1; --k)
    precisions[k - 2] = std::max(precisions[k - 2], precisions[k - 1]);
  Curve curve;
  curve.recall = recalls.empty() ? 0.0 : recalls.back();
  for (std::size_t r = 0; r < kRecalls; ++r) {
    const auto at = std::ranges::lower_bound(recalls, spaced(0.0, 1.0, kRecalls, r));
    if (at != recalls.end()) curve.precision[r] = precisions[static_cast<std::size_t>(at - recalls.begin())];
  }
  return curve;
}

class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  void add(const Curve& curve) {
    for (const double p : curve.precision) add(p);
  }
  double value() const { return count_ == 0 ? -1.0 : sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

CocoSummary evaluate_coco(const std::vector<DetectionGroup>& groups, int categories) {
  std::vector<std::vector<Sorted>> by_category(static_cast<std::size_t>(std::max(0, categories)));
  for (const DetectionGroup& group : groups) {
    if (group.category < 0 || group.category >= categories) {
      throw RequestError(std::format("category {} of {} cannot be evaluated", group.category, categories));
    }
    by_category[static_cast<std::size_t>(group.category)].push_back(sorted(group));
  }
  std::array<Mean, 12> means;
  CocoSummary summary;
  for (const std::vector<Sorted>& images : by_category) {
    Mean ap;
    Mean ap50;
    for (std::size_t a = 0; a < kAreas.size(); ++a) {
      std::vector<Matched> matched;
      for (const Sorted& image : images) matched.push_back(match(image, kAreas[a]));
      for (std::size_t m = 0; m < kMostDetections.size(); ++m) {
        const bool all_detections = m + 1 == kMostDetections.size();
        if (a > 0 && !all_detections) continue;
        for (std::size_t i = 0; i < kThresholds; ++i) {
          const auto curve = accumulate(matched, kMostDetections[m], i);
          if (!curve) continue;
          means[a == 0 ? 6 + m : 8 + a].add(curve->recall);
          if (!all_detections) continue;
          means[a == 0 ? 0 : 2 + a].add(*curve);
          if (a > 0) continue;
          ap.add(*curve);
          if (i == 0) ap50.add(*curve), means[1].add(*curve);
          if (i == 5) means[2].add(*curve);
        }
      }
    }
    summary.category_ap.push_back(ap.value());
    summary.category_ap50.push_back(ap50.value());
  }
  for (std::size_t k = 0; k < means.size(); ++k) summary.figures[k] = means[k].value();
  return summary;
}

}  // namespace terragen::metrics
