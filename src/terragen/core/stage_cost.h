// What a stage of a longer job costs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "terragen/core/memory.h"
#include "terragen/core/stage_timer.h"

namespace terragen {

struct StageCost {
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of the process while the stage ran

  void add(const StageCost& other) {
    seconds += other.seconds;
    peak_memory = std::max(peak_memory, other.peak_memory);
  }
};

// Adds what its life costs. One at a time: each begins the memory's peak anew.
class StageMeter {
 public:
  explicit StageMeter(StageCost& cost) : cost_(cost), timer_(cost.seconds) { restart_peak_memory(); }
  ~StageMeter() { cost_.peak_memory = std::max(cost_.peak_memory, recent_peak_memory_bytes()); }
  StageMeter(const StageMeter&) = delete;
  StageMeter& operator=(const StageMeter&) = delete;

 private:
  StageCost& cost_;
  const StageTimer timer_;
};

}  // namespace terragen
