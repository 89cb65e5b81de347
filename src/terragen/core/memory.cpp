#include "terragen/core/memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <fstream>

namespace terragen {

namespace {

std::atomic<std::int64_t> earlier_peak{0};  // before the mark was reset

}  // namespace

std::int64_t recent_peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux reports KiB
}

std::int64_t peak_memory_bytes() { return std::max(earlier_peak.load(), recent_peak_memory_bytes()); }

void restart_peak_memory() {
  earlier_peak = peak_memory_bytes();
  std::ofstream("/proc/self/clear_refs") << "5";  // see proc(5)
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kLargest = 32 << 20;  // the library takes no higher threshold
  mallopt(M_MMAP_THRESHOLD, kLargest);
  mallopt(M_TRIM_THRESHOLD, 2047 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace terragen
