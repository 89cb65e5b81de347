// Which boxes lie near a box, without looking at all of them: an image of a city holds a million.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "terragen/metrics/box_overlap.h"

namespace terragen::metrics {

class BoxGrid {
 public:
  // `most_side`: no box that is added or asked about is wider or higher, and it is positive. Cells are of that size, so
  // that boxes which meet have their centres in the same cell or in neighbouring ones.
  explicit BoxGrid(double most_side) : cell_(most_side) {}
  void add(std::size_t index, const Box& box);
  // Whether `test` is true of an index whose box may meet `box`.
  bool any_near(const Box& box, const std::function<bool(std::size_t)>& test) const;

 private:
  using Cell = std::pair<std::int64_t, std::int64_t>;
  Cell cell_of(const Box& box) const;

  double cell_;
  std::map<Cell, std::vector<std::size_t>> indices_;
};

// The longest side of all; 1 where there are none or all are points.
double most_side(const std::vector<Box>& boxes);

}  // namespace terragen::metrics
