#include "terragen/metrics/psnr.h"

#include <cmath>
#include <limits>

#include "terragen/core/error.h"

namespace terragen::metrics {

double psnr(std::span<const float> one, std::span<const float> two, std::span<const float> valid, double peak) {
  if (valid.empty() || one.size() != two.size() || one.size() % valid.size() != 0) {
    throw RequestError("the images compared have different sizes");
  }
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (valid[i % valid.size()] == 0.0F) continue;
    const double difference = static_cast<double>(one[i]) - static_cast<double>(two[i]);
    sum += difference * difference;
    ++count;
  }
  if (count == 0) return std::numeric_limits<double>::quiet_NaN();
  if (sum == 0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(peak * peak * static_cast<double>(count) / sum);
}

}  // namespace terragen::metrics
