#include "terragen/metrics/box_grid.h"

#include <algorithm>
#include <cmath>

namespace terragen::metrics {

BoxGrid::Cell BoxGrid::cell_of(const Box& box) const {
  return {static_cast<std::int64_t>(std::floor((box.x0 + box.x1) / 2 / cell_)),
          static_cast<std::int64_t>(std::floor((box.y0 + box.y1) / 2 / cell_))};
}

void BoxGrid::add(std::size_t index, const Box& box) { indices_[cell_of(box)].push_back(index); }

bool BoxGrid::any_near(const Box& box, const std::function<bool(std::size_t)>& test) const {
  const auto [column, row] = cell_of(box);
  for (std::int64_t x = column - 1; x <= column + 1; ++x) {
    for (std::int64_t y = row - 1; y <= row + 1; ++y) {
      const auto found = indices_.find({x, y});
      if (found != indices_.end() && std::ranges::any_of(found->second, test)) return true;
    }
  }
  return false;
}

double most_side(const std::vector<Box>& boxes) {
  double most = 0;
  for (const Box& box : boxes) most = std::max({most, box.x1 - box.x0, box.y1 - box.y0});
  return most > 0 ? most : 1;
}

}  // namespace terragen::metrics
