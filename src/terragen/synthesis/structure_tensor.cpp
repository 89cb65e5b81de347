#include "terragen/synthesis/structure_tensor.h"

#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace terragen::synthesis {
namespace {

constexpr std::array<double, 3> kScales{2, 4, 8};  // pixels
// Image noise has a direction, too; below this energy (squared grey levels in [-1, 1] a pixel) none is told.
constexpr double kLeastEnergy = 1e-5;

}  // namespace

StructureField structure_field(const torch::Tensor& image) {
  const torch::Tensor grey = image.to(torch::kCPU, torch::kFloat32).mean(0).contiguous();
  const int height = static_cast<int>(grey.size(0));
  const int width = static_cast<int>(grey.size(1));
  const cv::Mat plane(height, width, CV_32F, grey.data_ptr<float>());
  cv::Mat dx;
  cv::Mat dy;
  cv::Scharr(plane, dx, CV_32F, 1, 0, 1.0 / 32);
  cv::Scharr(plane, dy, CV_32F, 0, 1, 1.0 / 32);
  cv::Mat xx = cv::Mat::zeros(height, width, CV_32F);
  cv::Mat xy = xx.clone();
  cv::Mat yy = xx.clone();
  const auto add_smoothed = [](const cv::Mat& product, double scale, cv::Mat& sum) {
    cv::Mat smoothed;
    cv::GaussianBlur(product, smoothed, {}, scale, scale, cv::BORDER_REFLECT);
    sum += smoothed / static_cast<double>(kScales.size());
  };
  for (const double scale : kScales) {
    add_smoothed(dx.mul(dx), scale, xx);
    add_smoothed(dx.mul(dy), scale, xy);
    add_smoothed(dy.mul(dy), scale, yy);
  }
  StructureField field;
  for (layout::Plane* out : {&field.direction, &field.coherence}) {
    out->width = width;
    out->height = height;
    out->values.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double a = static_cast<double>(xx.at<float>(y, x));
      const double b = static_cast<double>(xy.at<float>(y, x));
      const double c = static_cast<double>(yy.at<float>(y, x));
      double direction = 0.5 * std::atan2(2 * b, a - c) + std::numbers::pi / 2;
      if (direction >= std::numbers::pi / 2) direction -= std::numbers::pi;
      field.direction.at(x, y) = static_cast<float>(direction);
      const double energy = a + c;
      field.coherence.at(x, y) =
          energy < kLeastEnergy ? 0.0F : static_cast<float>(std::sqrt((a - c) * (a - c) + 4 * b * b) / energy);
    }
  }
  return field;
}

}  // namespace terragen::synthesis
