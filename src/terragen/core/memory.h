// What the process has used of the machine's memory.
#pragma once

#include <cstdint>

namespace terragen {

// Peak resident memory of this process so far, in bytes.
std::int64_t peak_memory_bytes();

// The peak since the last call of restart_peak_memory(), or since the process began. Where the system does not let a
// process reset its mark it is that of the whole process.
std::int64_t recent_peak_memory_bytes();
void restart_peak_memory();

// Keeps freed memory in the process instead of handing it back to the system. Training frees and asks for the same
// large blocks in every step, and fresh pages have to be cleared each time. For the whole process; no effect beyond
// glibc.
void keep_freed_memory();

}  // namespace terragen
