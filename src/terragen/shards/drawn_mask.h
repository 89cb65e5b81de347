// Shapes and pixels as masks that networks read, and back.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "terragen/layout/layout.h"

namespace terragen::shards {

// [height, width], float32, 1 where the shape is (see layout::rasterise).
torch::Tensor drawn_mask(const layout::Geometry& geometry, int width, int height);
// [height, width], float32: the values of `pixels`, row by row.
torch::Tensor mask_from_pixels(const std::vector<std::uint8_t>& pixels, int width, int height);
// [height, width], float32, 1 where the layout's dense mask names a class; everywhere in a layout without one.
torch::Tensor labelled_mask(const layout::Layout& layout);
// Sets [H, W] to 1 where a pixel's indices are within `radius` of (x, y).
void draw_disc(torch::Tensor& mask, double x, double y, double radius);
// 1 where the mask [H, W] is above 0.5, row by row.
std::vector<std::uint8_t> pixels_from_mask(const torch::Tensor& mask);
// The shape of these pixels, a part a region (see layout::vectorise).
layout::Geometry outline_of(const torch::Tensor& mask);
// What the mask [h, w] covers, its corner at pixel (x, y) of the layout, becomes a class: the pixels of a dense mask,
// else a feature of the mask's outline.
void label_region(layout::Layout& layout, const torch::Tensor& mask, int class_index, int x = 0, int y = 0);

}  // namespace terragen::shards
