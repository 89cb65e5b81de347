// How a raster is cut into what a network sees at once.
#pragma once

namespace terragen::prediction {

struct TileOptions {
  int size = 512;     // pixels each way; a multiple of 32
  int overlap = 128;  // pixels that neighbours share, below `size`; the last ones of a row or column share more

  // RequestError naming the value that cannot be.
  void validate() const;
};

}  // namespace terragen::prediction
