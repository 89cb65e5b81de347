// Windows of images found again in other images, wherever, however turned and whatever their scale there.
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <vector>

#include "terragen/shards/shard_reader.h"

namespace terragen::evaluation {

struct NearestWindow {
  double correlation = -1;  // see metrics::window_correlation
  std::size_t image = 0;    // of the reader
  double scale = 1;         // pixels of the window per pixel of the image
  int x = 0, y = 0;         // upper left corner in the image at that scale
  torch::Tensor found;      // [B, S, S], what stands there, turned as the window is
};

// The place most like each window: windows [n, B, S, S], S a multiple of 8, values in [-1, 1]. Every place of every
// image is compared in eight orientations and at the scales that training draws crops at (0.8, 1, 1.25), by grey means
// over cells of 8 pixels half a cell apart; the best few then by all bands at every pixel around. RequestError where
// the reader has other bands; images smaller than the windows are left out.
std::vector<NearestWindow> nearest_windows(const torch::Tensor& windows, const shards::ShardReader& reader);

}  // namespace terragen::evaluation
