// LibTorch's errors in words for a user.
#pragma once

#include <c10/util/Exception.h>

#include <string>

namespace terragen::tensor {

// Of the processor, which LibTorch tells by words alone, or of an accelerator.
inline bool is_out_of_memory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         std::string(error.what_without_backtrace()).find("can't allocate memory") != std::string::npos;
}

}  // namespace terragen::tensor
