#include "terragen/metrics/confusion.h"

#include <cmath>
#include <format>
#include <limits>
#include <numeric>

#include "terragen/core/error.h"

namespace terragen::metrics {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double mean_present(std::span<const double> scores) {
  double sum = 0;
  std::int64_t count = 0;
  for (const double score : scores) {
    if (std::isnan(score)) continue;
    sum += score;
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

ConfusionMatrix::ConfusionMatrix(int classes) : classes_(classes) {
  if (classes < 1 || classes > 255) throw RequestError(std::format("{} classes cannot be compared", classes));
  counts_.assign(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes), 0);
}

void ConfusionMatrix::add(std::span<const std::uint8_t> truth, std::span<const std::uint8_t> predicted) {
  if (truth.size() != predicted.size()) {
    throw RequestError(std::format("{} pixels of truth against {} predicted ones", truth.size(), predicted.size()));
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= classes_) continue;
    if (predicted[i] >= classes_)
      throw RequestError(std::format("class {} was predicted of {}", predicted[i], classes_));
    ++counts_[index(truth[i], predicted[i])];
  }
}

void ConfusionMatrix::add(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) throw RequestError("confusion matrices of other classes cannot be added");
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

std::int64_t ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

std::int64_t ConfusionMatrix::row(int k) const {
  std::int64_t sum = 0;
  for (int j = 0; j < classes_; ++j) sum += at(k, j);
  return sum;
}

std::int64_t ConfusionMatrix::column(int k) const {
  std::int64_t sum = 0;
  for (int i = 0; i < classes_; ++i) sum += at(i, k);
  return sum;
}

ClassScores ConfusionMatrix::iou() const {
  ClassScores scores;
  for (int k = 0; k < classes_; ++k) scores.push_back(share(at(k, k), row(k) + column(k) - at(k, k)));
  return scores;
}

ClassScores ConfusionMatrix::recall() const {
  ClassScores scores;
  for (int k = 0; k < classes_; ++k) scores.push_back(share(at(k, k), row(k)));
  return scores;
}

ClassScores ConfusionMatrix::precision() const {
  ClassScores scores;
  for (int k = 0; k < classes_; ++k) scores.push_back(share(at(k, k), column(k)));
  return scores;
}

ClassScores ConfusionMatrix::f1() const {
  ClassScores scores;
  for (int k = 0; k < classes_; ++k) scores.push_back(share(2 * at(k, k), row(k) + column(k)));
  return scores;
}

double ConfusionMatrix::pixel_accuracy() const {
  std::int64_t right = 0;
  for (int k = 0; k < classes_; ++k) right += at(k, k);
  return share(right, total());
}

double ConfusionMatrix::frequency_weighted_iou() const {
  const ClassScores scores = iou();
  double sum = 0;
  for (int k = 0; k < classes_; ++k) {
    if (row(k) > 0) sum += static_cast<double>(row(k)) * scores[static_cast<std::size_t>(k)];
  }
  return sum / static_cast<double>(total());
}

double ConfusionMatrix::kappa() const {
  const auto all = static_cast<double>(total());
  double by_chance = 0;
  for (int k = 0; k < classes_; ++k)
    by_chance += static_cast<double>(row(k)) / all * static_cast<double>(column(k)) / all;
  return (pixel_accuracy() - by_chance) / (1.0 - by_chance);
}

double few_shot_score(const ClassScores& iou, std::span<const int> base, std::span<const int> novel) {
  const auto mean_of = [&](std::span<const int> chosen) {
    std::vector<double> scores;
    for (const int k : chosen) {
      if (k < 0 || k >= std::ssize(iou)) throw RequestError(std::format("class {} of {} has no score", k, iou.size()));
      scores.push_back(iou[static_cast<std::size_t>(k)]);
    }
    return mean_present(scores);
  };
  return 0.4 * mean_of(base) + 0.6 * mean_of(novel);
}

}  // namespace terragen::metrics
