// Real images beside what a generator paints from their own layouts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "terragen/shards/shard_reader.h"
#include "terragen/synthesis/painter.h"

namespace terragen::evaluation {

struct RepaintOptions {
  int size = 256;          // pixels: the middle of every image
  std::uint64_t seed = 0;  // image i is painted from (seed, i)
};

// RequestError naming what does not fit: the painter's bands, classes, tasks or sizes, or an image below `size`.
void check_repaint(const shards::ShardReader& reader, const synthesis::Painter& painter, const RepaintOptions& options);

// Every image of the reader in turn: the real crop, and a painted one of the same layout, whose pixels are called valid
// where the real ones are. Painted in portions, so that memory does not grow with the images.
void repaint(const shards::ShardReader& reader, synthesis::Painter& painter, const RepaintOptions& options,
             const std::function<void(const shards::Sample& real, const shards::Sample& painted)>& done);

}  // namespace terragen::evaluation
