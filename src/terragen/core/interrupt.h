// Turns SIGINT and SIGTERM into a flag that long work looks at between steps.
#pragma once

namespace terragen {

// Installs the handlers; a second signal ends the process at once. Call once, from main.
void watch_for_interrupt();
// True once the user asked to stop. Safe from any thread.
bool interrupt_requested();
// Sets the flag as the signal would: for tests and for embedding programs.
void request_interrupt(bool requested = true);

}  // namespace terragen
