// The axis of numbers beside a plot.
#pragma once

namespace terragen::evaluation {

struct ValueAxis {
  double low = 0;
  double high = 1;
  double step = 0.2;  // between gridlines
  int intervals = 5;
  int decimals = 1;  // that the numbers at the gridlines need

  // 0 at the low end, 1 at the high one.
  double fraction(double value) const { return (value - low) / (high - low); }
};

// The shortest axis over [low, high] with about five gridlines, at multiples of 1, 2, 2.5 or 5 times a power of ten.
ValueAxis make_value_axis(double low, double high);

}  // namespace terragen::evaluation
