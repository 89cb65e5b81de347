#include "terragen/evaluation/seed_statistics.h"

#include <cmath>

namespace terragen::evaluation {
namespace {

std::vector<double> differences(const SeedValues& own, const SeedValues* other) {
  std::vector<double> result;
  if (other == nullptr) return result;
  for (const auto& [seed, value] : own) {
    if (const auto same = other->find(seed); same != other->end()) result.push_back(value - same->second);
  }
  return result;
}

}  // namespace

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? std::nan("") : sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

SeedFigure seed_figure(const SeedValues& own, const SeedValues* real, const SeedValues* copy_paste) {
  SeedFigure figure;
  for (const auto& [seed, value] : own) figure.values.push_back(value);
  figure.mean = mean_of(figure.values);
  figure.deviation = deviation_of(figure.values);
  const std::vector<double> gains = differences(own, real);
  figure.gain = mean_of(gains);
  figure.gain_deviation = deviation_of(gains);
  figure.gain_over_copy_paste = mean_of(differences(own, copy_paste));
  return figure;
}

}  // namespace terragen::evaluation
