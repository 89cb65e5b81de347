#include "terragen/prediction/tile_options.h"

#include <format>

#include "terragen/core/error.h"

namespace terragen::prediction {

void TileOptions::validate() const {
  constexpr int kStep = 32;  // the networks halve the image five times
  if (size <= 0 || size % kStep != 0) {
    throw RequestError(std::format("tiles of {} pixels are not possible", size),
                       std::format("choose a multiple of {}", kStep));
  }
  if (overlap < 0 || overlap >= size) {
    throw RequestError(std::format("tiles of {} pixels cannot overlap by {}", size, overlap),
                       "choose an overlap from 0 to below the tile's size");
  }
}

}  // namespace terragen::prediction
