#include "terragen/models/mask_ops.h"

#include <algorithm>
#include <cmath>

#include "terragen/core/error.h"

namespace terragen::models {

torch::Tensor stability_score(const torch::Tensor& logits, double threshold, double offset) {
  // One mask contains the other: their intersection is the smaller, their union the larger one.
  const auto pixels_above = [&](double value) { return logits.gt(value).sum({-2, -1}).to(torch::kFloat32); };
  return pixels_above(threshold + offset) / pixels_above(threshold - offset);
}

torch::Tensor point_grid(std::int64_t side) {
  if (side < 1) throw RequestError("a grid of points has at least one a side");
  const double first = 1.0 / (2.0 * static_cast<double>(side)), last = 1.0 - first;
  std::vector<double> places(static_cast<std::size_t>(side), last);
  const double step = side > 1 ? (last - first) / static_cast<double>(side - 1) : 0.0;
  for (std::size_t i = 0; i + 1 < places.size(); ++i) places[i] = first + static_cast<double>(i) * step;
  const torch::Tensor x = torch::tensor(places, torch::kFloat64).expand({side, side});
  return torch::stack({x, x.t()}, -1).reshape({side * side, 2});
}

std::vector<CropWindow> crop_windows(const ImageSize& image, std::int64_t layers, double overlap) {
  if (layers < 0 || layers > 10 || !(overlap >= 0 && overlap < 1)) {
    throw RequestError("an image is cut up in 0 to 10 layers, its parts overlapping by a share below 1");
  }
  std::vector<CropWindow> windows{{.window = {0, 0, image.width, image.height}, .layer = 0}};
  for (std::int64_t layer = 1; layer <= layers; ++layer) {
    const std::int64_t side = std::int64_t{1} << layer;  // parts along one axis
    const auto shared = static_cast<std::int64_t>(overlap * static_cast<double>(std::min(image.height, image.width)) *
                                                  (2.0 / static_cast<double>(side)));
    const auto length_of = [&](std::int64_t whole) { return (shared * (side - 1) + whole + side - 1) / side; };
    const ImageSize part{length_of(image.height), length_of(image.width)};
    for (std::int64_t column = 0; column < side; ++column) {
      for (std::int64_t row = 0; row < side; ++row) {
        const std::int64_t x0 = (part.width - shared) * column, y0 = (part.height - shared) * row;
        const ImageWindow window{x0, y0, std::min(x0 + part.width, image.width),
                                 std::min(y0 + part.height, image.height)};
        if (window.x1 <= x0 || window.y1 <= y0)
          throw RequestError("the image is too small for so many layers of parts");
        windows.push_back({.window = window, .layer = layer});
      }
    }
  }
  return windows;
}

torch::Tensor near_crop_edge(const torch::Tensor& boxes, const ImageWindow& crop, const ImageSize& image, double near) {
  const auto edges = [&](const ImageWindow& window) {
    return torch::tensor({window.x0, window.y0, window.x1, window.y1}, torch::kInt64)
        .to(boxes.device(), torch::kFloat32);
  };
  const torch::Tensor in_image = boxes.to(torch::kFloat32) + edges({crop.x0, crop.y0, crop.x0, crop.y0});
  const auto is_near = [&](const ImageWindow& window) { return (in_image - edges(window)).abs().le(near); };
  return (is_near(crop) & is_near({0, 0, image.width, image.height}).logical_not()).any(1);
}

torch::Tensor uncrop_masks(const torch::Tensor& masks, const ImageWindow& crop, const ImageSize& image) {
  return torch::constant_pad_nd(masks, {crop.x0, image.width - crop.x1, crop.y0, image.height - crop.y1});
}

}  // namespace terragen::models
