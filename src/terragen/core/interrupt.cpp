#include "terragen/core/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "terragen/core/error.h"

namespace terragen {
namespace {

std::atomic<bool> requested_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  if (requested_flag.exchange(true)) _exit(static_cast<int>(ExitCode::interrupted));
}

}  // namespace

void watch_for_interrupt() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupt_requested() { return requested_flag.load(); }

void request_interrupt(bool requested) { requested_flag.store(requested); }

}  // namespace terragen
