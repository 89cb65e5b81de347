// Peak signal-to-noise ratio.
#pragma once

#include <span>

namespace terragen::metrics {

// In decibels: 10 log10(peak^2 / mean squared error), over the pixels where `valid` is not 0.
// one, two: band after band, `valid.size()` pixels each. Infinity where they are equal, NaN where no pixel is valid.
// RequestError when the sizes do not fit.
double psnr(std::span<const float> one, std::span<const float> two, std::span<const float> valid, double peak);

}  // namespace terragen::metrics
