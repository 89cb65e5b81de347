// Small windows of a labelled image, each with the one thing it shows: what classifiers are trained and tested on.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::shards {

// Pixels a side of windows as a classifier reads them.
inline constexpr int kWindowSize = 64;

struct WindowOptions {
  int most = 16;        // windows an image, those of the background not counted
  int background = -1;  // class number of windows that touch no feature; negative: there are none
};

// A square that lies inside the image.
struct ObjectWindow {
  int x = 0, y = 0;  // its upper left pixel
  int side = 0;      // pixels
  int label = 0;     // class number
  bool operator==(const ObjectWindow&) const = default;
};

// What windows of an image are labelled. valid: [H, W] float32, 1 where measured. Deterministic in `seed`.
//   without a mask: squares about features, 1.5 times as wide as the feature's larger side and at least 24 pixels,
//   moved
//                   (where need be shrunk) into the image; `most` of them at random. Crowds give none. As many of the
//                   background, one where there are no features, as wide as those and in random places where they touch
//                   no feature; where no such place is found in 32 tries there are fewer.
//   with a mask:    squares of 48 pixels in `most` random places, labelled with the class that has at least 60 % of the
//                   labelled pixels; without such a class, or with less than half labelled, a place gives none.
// Windows of which less than three quarters are measured are left out.
std::vector<ObjectWindow> object_windows(const layout::Layout& layout, const torch::Tensor& valid,
                                         const WindowOptions& options, std::uint64_t seed);

// The windows out of an image [B, H, W], resized bilinearly (antialiased where they shrink): [n, B, size, size].
torch::Tensor window_images(const torch::Tensor& image, const std::vector<ObjectWindow>& windows,
                            int size = kWindowSize);

}  // namespace terragen::shards
