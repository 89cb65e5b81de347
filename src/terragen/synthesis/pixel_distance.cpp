#include "terragen/synthesis/pixel_distance.h"

#include <algorithm>
#include <limits>
#include <opencv2/imgproc.hpp>

namespace terragen::synthesis {
namespace {

layout::Plane distance_to_zero(const cv::Mat& bytes) {
  cv::Mat distance;
  cv::distanceTransform(bytes, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  layout::Plane plane{.width = distance.cols, .height = distance.rows};
  plane.values.assign(distance.begin<float>(), distance.end<float>());
  return plane;
}

}  // namespace

layout::Plane pixel_distance(const std::vector<std::uint8_t>& pixels, int width, int height) {
  if (std::ranges::all_of(pixels, [](std::uint8_t value) { return value == 0; })) {
    return {width, height, std::vector<float>(pixels.size(), std::numeric_limits<float>::infinity())};
  }
  cv::Mat empty(height, width, CV_8U);
  std::ranges::transform(pixels, empty.begin<std::uint8_t>(), [](std::uint8_t value) { return value == 0 ? 1 : 0; });
  return distance_to_zero(empty);
}

layout::Plane distance_to_edge(const std::vector<std::uint8_t>& pixels, int width, int height) {
  cv::Mat framed = cv::Mat::zeros(height + 2, width + 2, CV_8U);
  for (int y = 0; y < height; ++y) {
    std::ranges::transform(pixels.begin() + std::ptrdiff_t{y} * width, pixels.begin() + std::ptrdiff_t{y + 1} * width,
                           framed.ptr<std::uint8_t>(y + 1) + 1, [](std::uint8_t value) { return value == 0 ? 0 : 1; });
  }
  const layout::Plane whole = distance_to_zero(framed);
  layout::Plane plane{width, height, std::vector<float>(pixels.size())};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) plane.at(x, y) = whole.at(x + 1, y + 1);
  }
  return plane;
}

}  // namespace terragen::synthesis
