// Adds the seconds of its life to a sum.
#pragma once

#include "terragen/core/stopwatch.h"

namespace terragen {

class StageTimer {
 public:
  explicit StageTimer(double& sum) : sum_(sum) {}
  ~StageTimer() { sum_ += watch_.seconds(); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double& sum_;
  const Stopwatch watch_;
};

}  // namespace terragen
