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
  double seconds = 0;            // of all cells, on whatever machine and in whatever call each was measured
  std::int64_t peak_memory = 0;  // bytes, the most of any
};

}  // namespace terragen::evaluation
