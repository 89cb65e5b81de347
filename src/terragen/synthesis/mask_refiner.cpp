#include "terragen/synthesis/mask_refiner.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <opencv2/imgproc.hpp>

#include "terragen/core/error.h"
#include "terragen/core/require_share.h"
#include "terragen/models/mask_regions.h"
#include "terragen/tensor/draw_image.h"

namespace terragen::synthesis {
namespace {

cv::Mat bytes_of(const torch::Tensor& mask) {
  const torch::Tensor bytes = mask.gt(0.5).to(torch::kUInt8).contiguous();
  cv::Mat result(static_cast<int>(mask.size(0)), static_cast<int>(mask.size(1)), CV_8U);
  std::copy_n(bytes.const_data_ptr<std::uint8_t>(), bytes.numel(), result.begin<std::uint8_t>());
  return result;
}

torch::Tensor mask_of(const cv::Mat& bytes) {
  torch::Tensor mask = torch::empty({bytes.rows, bytes.cols}, torch::kUInt8);
  std::copy_n(bytes.begin<std::uint8_t>(), mask.numel(), mask.mutable_data_ptr<std::uint8_t>());
  return mask.gt(0).to(torch::kFloat32);
}

cv::Mat picture_of(const torch::Tensor& image) {
  const torch::Tensor bytes = tensor::rgb_bytes(image);
  cv::Mat picture(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), CV_8UC3);
  std::copy_n(bytes.const_data_ptr<std::uint8_t>(), bytes.numel(), picture.data);
  return picture;
}

}  // namespace

GrabCutRefiner::GrabCutRefiner(double band_share, int iterations) : band_share_(band_share), iterations_(iterations) {
  if (!(band_share > 0 && band_share < 1))
    throw RequestError(std::format("band_share is {}, not in (0, 1)", band_share));
  if (iterations < 1) throw RequestError(std::format("{} iterations of GrabCut are none", iterations));
}

torch::Tensor GrabCutRefiner::refine(const torch::Tensor& image, const torch::Tensor& intended) {
  const cv::Mat thing = bytes_of(intended);
  cv::Mat inside;
  cv::Mat outside;
  cv::distanceTransform(thing, inside, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  cv::distanceTransform(1 - thing, outside, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  double radius = 0;
  cv::minMaxLoc(inside, nullptr, &radius);
  const double band = std::max(2.0, band_share_ * radius);
  cv::Mat state(thing.size(), CV_8U);
  for (int y = 0; y < state.rows; ++y) {
    for (int x = 0; x < state.cols; ++x) {
      const bool is_in = thing.at<std::uint8_t>(y, x) != 0;
      const auto depth = static_cast<double>(is_in ? inside.at<float>(y, x) : outside.at<float>(y, x));
      // A thing thinner than the band still has a core.
      const bool sure = is_in ? depth >= std::min(band, radius) : depth > band;
      state.at<std::uint8_t>(y, x) =
          static_cast<std::uint8_t>(is_in ? (sure ? cv::GC_FGD : cv::GC_PR_FGD) : (sure ? cv::GC_BGD : cv::GC_PR_BGD));
    }
  }
  if (cv::countNonZero(state == cv::GC_BGD) == 0) return intended;  // nothing to learn the surroundings from
  cv::Mat background;
  cv::Mat foreground;
  cv::setRNGSeed(0);  // its clustering draws
  cv::grabCut(picture_of(image), state, {}, background, foreground, iterations_, cv::GC_INIT_WITH_MASK);
  return mask_of((state == cv::GC_FGD) | (state == cv::GC_PR_FGD));
}

void MaskPolicy::validate() const {
  require_share("fill_share", fill_share);
  require_share("part_share", part_share);
  require_share("least_overlap", least_overlap);
}

RefinedMask tidied(const torch::Tensor& refined, const torch::Tensor& intended, const MaskPolicy& policy) {
  policy.validate();
  const torch::Tensor found_at_all = refined.gt(0.5);
  const auto pixels = found_at_all.sum().item<double>();
  const torch::Tensor whole = models::remove_small_islands(found_at_all, policy.part_share * pixels).mask;
  const torch::Tensor found = models::fill_small_holes(whole, policy.fill_share * pixels).mask;
  RefinedMask result{.mask = found.to(torch::kFloat32)};
  const torch::Tensor wanted = intended.gt(0.5);
  const auto united = found.logical_or(wanted).sum().item<double>();
  result.overlap = united > 0 ? found.logical_and(wanted).sum().item<double>() / united : 0;
  result.kept = result.overlap >= policy.least_overlap && found.any().item<bool>();
  return result;
}

}  // namespace terragen::synthesis
