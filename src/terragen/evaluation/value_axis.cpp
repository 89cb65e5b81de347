#include "terragen/evaluation/value_axis.h"

#include <algorithm>
#include <cmath>

namespace terragen::evaluation {
namespace {

constexpr double kIntervals = 5;
// So far and no further, so that sums and powers stay finite.
constexpr double kFarthest = 1e100;
constexpr double kNarrowest = 1e-12;
// Rounding must not add an interval beyond an end that lies on a gridline.
constexpr double kSlack = 1e-9;

}  // namespace

ValueAxis make_value_axis(double low, double high) {
  low = std::clamp(low, -kFarthest, kFarthest);
  high = std::clamp(high, -kFarthest, kFarthest);
  const double span = std::max(high - low, std::max({kNarrowest, std::abs(low) * kSlack, std::abs(high) * kSlack}));
  const double rough = span / kIntervals;
  const double exponent = std::floor(std::log10(rough));
  const double power = std::pow(10.0, exponent);
  ValueAxis axis;
  for (const double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    axis.step = factor * power;
    const int finer = factor == 2.5 ? 1 : factor == 10.0 ? -1 : 0;
    axis.decimals = std::max(0, finer - static_cast<int>(exponent));
    if (axis.step >= rough * (1 - kSlack)) break;
  }
  const double first = std::floor(low / axis.step + kSlack);
  const double last = std::max(first + 1, std::ceil(high / axis.step - kSlack));
  axis.low = first * axis.step;
  axis.high = last * axis.step;
  axis.intervals = static_cast<int>(last - first);
  return axis;
}

}  // namespace terragen::evaluation
