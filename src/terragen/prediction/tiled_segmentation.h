// Class probabilities of a raster of any size, blended from overlapping tiles.
#pragma once

#include <torch/torch.h>

#include <functional>

#include "terragen/geo/raster_io.h"
#include "terragen/prediction/tile_options.h"

namespace terragen::prediction {

// Of one tile: [K, H, W] float32 on the CPU, or an undefined tensor where there is nothing to look at.
using TileProbabilities = std::function<torch::Tensor(const geo::PixelWindow&)>;
// Rows that no further tile reaches, each once, from top to bottom: their first, and [K, rows, width], valid during the
// call. Zeros where no tile said anything.
using FinishedRows = std::function<void(int y, const torch::Tensor& probabilities)>;

// [height, width] float32, positive: what a tile's pixels count against its neighbours'. A raised cosine each way that
// falls from 1 in the middle to nearly 0 at the edges, where a network knows least of the surroundings, so that no edge
// is seen in the sum.
torch::Tensor tile_weights(int height, int width);

// Every pixel gets the mean of what the tiles of geo::tile_grid say of it, by their weights. Tiles come row by row from
// the top; at any time `classes` x a tile's height x `width` numbers are held. Throws Interrupted between tiles.
void blend_tiles(int width, int height, std::int64_t classes, const TileOptions& tiles,
                 const TileProbabilities& probabilities_of, const FinishedRows& finished);

}  // namespace terragen::prediction
