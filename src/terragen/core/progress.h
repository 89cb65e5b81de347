// Progress of long work on stderr: one line that renews itself on a terminal, silent elsewhere unless asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace terragen {

enum class ProgressMode { automatic, always, never };

// Sets the mode for the whole process (the program's `--progress` and `--quiet`). Default: automatic (terminal only).
void set_progress_mode(ProgressMode mode);

// Counts towards `total` and shows rate and time left. Not thread-safe: one thread reports.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, std::string unit = "images");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Counts work done by an earlier run, which the rate leaves out.
  void resume_at(std::int64_t done);
  // `note` is short free text behind the figures ("loss 0.123").
  void advance(std::int64_t steps = 1, const std::string& note = {});

 private:
  void show(const std::string& note, bool last);
  std::string label_;
  std::string unit_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::int64_t done_before_ = 0;
  bool active_;
  bool terminal_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace terragen
