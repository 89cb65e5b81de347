// What the process has used of the machine's memory.
#pragma once

#include <cstdint>

namespace terragen {

// Peak resident memory of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace terragen
