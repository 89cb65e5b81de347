// What a protocol of cells comes to, and what it took.
#pragma once

#include <cstdint>
#include <vector>

#include "terragen/core/json_file.h"

namespace terragen::evaluation {

template <class Cell>
struct ProtocolRun {
  std::vector<Cell> cells;
  Json settings;
  double seconds = 0;
  std::int64_t peak_memory = 0;  // bytes
};

}  // namespace terragen::evaluation
