// Objects of a raster of any size, found tile by tile.
#pragma once

#include <functional>
#include <vector>

#include "terragen/geo/raster_io.h"
#include "terragen/models/detections.h"
#include "terragen/prediction/tile_options.h"

namespace terragen::prediction {

// What is found in one tile, in the tile's own pixels.
using TileDetections = std::function<std::vector<models::Detection>(const geo::PixelWindow&)>;

// Objects in the image's pixels, each once, by falling score. An object that an inner edge of its tile cuts goes where
// a neighbour holds it whole, whatever the scores; of what is left, models::suppressed keeps the best. An object larger
// than the overlap may be whole in no tile: its pieces stay. Of `options` the overlap counts, not the numbers, which
// are for one tile. Throws Interrupted between tiles.
std::vector<models::Detection> detect_in_tiles(int width, int height, const TileOptions& tiles,
                                               const TileDetections& detections_of_tile, bool oriented,
                                               const models::DetectionOptions& options);

}  // namespace terragen::prediction
