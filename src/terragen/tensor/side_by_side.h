// Independent pieces of work at once, a thread each. Small networks gain little from threads inside a layer, which wait
// for each other at every one of its loops; they gain nearly everything from this.
#pragma once

#include <cstddef>
#include <functional>

namespace terragen::tensor {

// Calls work(0) .. work(count - 1), each on a thread of its own that gives LibTorch `threads` threads, and returns when
// all have ended. A single piece runs on the calling thread as it stands. Rethrows the first piece's exception.
void side_by_side(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace terragen::tensor
