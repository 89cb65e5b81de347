#include "terragen/tensor/side_by_side.h"

#include <torch/torch.h>

#include <exception>
#include <thread>
#include <vector>

namespace terragen::tensor {

void side_by_side(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  if (count == 1) {
    work(0);
    return;
  }
  std::vector<std::exception_ptr> failures(count);
  {
    std::vector<std::jthread> workers;
    workers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      workers.emplace_back([&, i] {
        try {
          torch::set_num_threads(threads);  // of this thread's own parallel loops
          work(i);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace terragen::tensor
