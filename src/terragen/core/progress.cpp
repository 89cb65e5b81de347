#include "terragen/core/progress.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <format>

namespace terragen {
namespace {

std::atomic<ProgressMode> mode{ProgressMode::automatic};

std::string duration_text(double seconds) {
  const auto whole = std::lround(seconds);
  if (whole < 60) return std::format("{} s", whole);
  if (whole < 3600) return std::format("{} min {:02} s", whole / 60, whole % 60);
  return std::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

void set_progress_mode(ProgressMode wanted) { mode = wanted; }

Progress::Progress(std::string label, std::int64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1),
      began_(std::chrono::steady_clock::now()),
      shown_(began_) {
  active_ = mode == ProgressMode::always || (mode == ProgressMode::automatic && terminal_);
}

Progress::~Progress() {
  if (active_ && done_ > done_before_) show({}, true);
}

void Progress::resume_at(std::int64_t done) {
  done_ = done;
  done_before_ = done;
}

void Progress::advance(std::int64_t steps, const std::string& note) {
  done_ += steps;
  if (!active_) return;
  const auto now = std::chrono::steady_clock::now();
  // A file gets a line every five seconds, a terminal renews its line five times a second.
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000);
  if (now - shown_ < pause) return;
  shown_ = now;
  show(note, false);
}

void Progress::show(const std::string& note, bool last) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_ - done_before_) / seconds : 0;
  std::string line = std::format("{}: {}", label_, done_);
  if (total_ > 0) line += std::format("/{}", total_);
  line += std::format(" {}, {:.2f}/s", unit_, rate);
  if (last) {
    line += std::format(", {}", duration_text(seconds));
  } else if (total_ > done_ && rate > 0) {
    line += std::format(", {} left", duration_text(static_cast<double>(total_ - done_) / rate));
  }
  if (!note.empty()) line += ", " + note;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

}  // namespace terragen
