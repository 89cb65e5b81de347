// What lies inside regions of a feature map, every region as a small map of one size, as torchvision defines it.
//
// features: [N, C, H, W]. regions: [R, 5], on the same device: which image of the batch, then x0, y0, x1, y1 in pixels
// of the input; `scale` takes them to pixels of the map, 1 / stride. The result is [R, C, height, width], of the type
// of `features`, and passes gradients on to them alone.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::nn {

struct RoiAlignOptions {
  std::int64_t height = 7, width = 7;  // bins
  double scale = 1.0;
  std::int64_t samples = 0;  // a bin and axis; 0: as many as the bin is long in pixels of the map, rounded up
  // Pixel centres lie at halves. False is the first implementation's convention: centres at whole numbers, and no
  // region narrower or lower than one pixel of the map.
  bool aligned = true;
};

// The mean of bilinear samples spread evenly over every bin, nothing rounded (He et al. 2017, arXiv 1703.06870).
// Samples more than one pixel outside the map are zero; a region turned inside out has no samples where their number
// follows from its size, and is zero.
torch::Tensor roi_align(const torch::Tensor& features, const torch::Tensor& regions, const RoiAlignOptions& options);

// The maximum of every bin, region and bins rounded to whole pixels; zero where a bin lies outside the map (Girshick
// 2015, arXiv 1504.08083).
torch::Tensor roi_pool(const torch::Tensor& features, const torch::Tensor& regions, std::int64_t height,
                       std::int64_t width, double scale);

}  // namespace terragen::nn
