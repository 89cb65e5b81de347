// The log of a run: one JSON object a line, and the loss curve drawn from it.
#pragma once

#include <filesystem>

#include "terragen/training/task.h"

namespace terragen::training {

class TrainLog {
 public:
  // Opens RUN/log.jsonl for appending; lines of steps after `first_step` (left by a run that was killed) are dropped.
  TrainLog(std::filesystem::path run, std::int64_t first_step);
  void append(std::int64_t step, const Scalars& scalars);
  // Draws RUN/loss.png from the whole log: every line, and their running mean, over the steps.
  void draw_curve() const;

 private:
  std::filesystem::path file_;
  std::filesystem::path picture_;
};

}  // namespace terragen::training
