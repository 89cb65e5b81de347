// Images brought to a length of their longest side, as Segment Anything reads them.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::models {

struct ImageSize {
  std::int64_t height = 0, width = 0;  // pixels
  bool operator==(const ImageSize&) const = default;
};

// The longest side becomes `longest`, the other follows in proportion, rounded. RequestError where nothing is left of
// it, or the size is none.
ImageSize longest_side_size(const ImageSize& size, std::int64_t longest);

// image: [H, W, C] uint8 on the CPU; resized as Pillow does, bilinearly with antialiasing.
torch::Tensor resize_longest_side(const torch::Tensor& image, std::int64_t longest);
// images: [N, C, H, W], floating point; the same filter without rounding to bytes.
torch::Tensor resize_images_longest_side(const torch::Tensor& images, std::int64_t longest);

// Pixel coordinates [..., 2] (x, y) in an image of one size, in the same image of another one; float64.
torch::Tensor move_points(const torch::Tensor& points, const ImageSize& from, const ImageSize& to);

}  // namespace terragen::models
