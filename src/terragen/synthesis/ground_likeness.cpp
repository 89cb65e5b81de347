#include "terragen/synthesis/ground_likeness.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/shards/drawn_mask.h"

namespace terragen::synthesis {
namespace {

constexpr std::int64_t kContrastWindow = 5;  // pixels
// Of a variance of bands in [-1, 1]: what two looks must differ by to be two.
constexpr double kLeastVariance = 1e-4;

// [F, H, W]: the bands' local means, then their mean local deviation.
torch::Tensor looks_of(const torch::Tensor& image) {
  const auto smooth = [](const torch::Tensor& x) {
    return at::avg_pool2d(x.unsqueeze(0), {kContrastWindow, kContrastWindow}, {1, 1},
                          {kContrastWindow / 2, kContrastWindow / 2}, false, false)[0];
  };
  const torch::Tensor mean = smooth(image);
  const torch::Tensor deviation = (smooth(image.square()) - mean.square()).clamp_min(0).sqrt().mean(0, true);
  return torch::cat({mean, deviation});
}

torch::Tensor grown(const torch::Tensor& mask, std::int64_t by) {
  return at::max_pool2d(mask, {2 * by + 1, 2 * by + 1}, {1, 1}, {by, by});
}

// 1 on the ring about the class, 0 elsewhere: [H, W].
torch::Tensor ring_of(const shards::Sample& sample, int class_index, int ring) {
  const layout::Layout& layout = sample.layout;
  const torch::Tensor of_class =
      shards::mask_from_pixels(layout::pixels_of_class(layout, class_index), layout.width, layout.height).unsqueeze(0);
  std::vector<std::uint8_t> others(static_cast<std::size_t>(of_class.numel()), 0);
  for (const layout::Feature& feature : layout.features) {
    if (feature.class_index != class_index) {
      layout::draw_onto(others, feature.geometry, layout.width, layout.height);
    }
  }
  const torch::Tensor near = grown(of_class, 1 + ring) - grown(of_class, 1);
  return near[0] * (1 - shards::mask_from_pixels(others, layout.width, layout.height)) * sample.valid;
}

}  // namespace

GroundLikeness::GroundLikeness(const std::vector<shards::Sample>& examples, int class_index, int ring) {
  std::vector<torch::Tensor> pixels;
  for (const shards::Sample& example : examples) {
    const torch::Tensor looks = looks_of(example.image);
    const torch::Tensor ring_pixels = ring_of(example, class_index, ring).flatten().gt(0).nonzero().flatten();
    pixels.push_back(looks.flatten(1).index_select(1, ring_pixels));
  }
  if (pixels.empty()) throw RequestError("there are no examples of the class");
  const torch::Tensor all = torch::cat(pixels, 1).to(torch::kFloat64);  // [F, P]
  if (all.size(1) < 4 * all.size(0)) {
    throw RequestError(
        std::format("about the examples are {} pixels of ground, too few to know what it looks like", all.size(1)));
  }
  mean_ = all.mean(1);
  const torch::Tensor centred = all - mean_.unsqueeze(1);
  const torch::Tensor covariance = torch::matmul(centred, centred.t()) / static_cast<double>(all.size(1)) +
                                   kLeastVariance * torch::eye(all.size(0), torch::kFloat64);
  precision_ = torch::linalg_inv(covariance);
  distances_ = std::get<0>((centred * torch::matmul(precision_, centred)).sum(0).sort());
}

layout::Plane GroundLikeness::of(const torch::Tensor& image) const {
  const torch::Tensor looks = looks_of(image);
  if (looks.size(0) != mean_.size(0)) throw InternalError("[GroundLikeness] the image is of other bands");
  const torch::Tensor centred = looks.flatten(1).to(torch::kFloat64) - mean_.unsqueeze(1);
  const torch::Tensor distance = (centred * torch::matmul(precision_, centred)).sum(0);
  const torch::Tensor nearer = torch::searchsorted(distances_, distance, false, false).to(torch::kFloat32);
  const torch::Tensor share = (1 - nearer / static_cast<double>(distances_.numel())).contiguous();
  layout::Plane plane{.width = static_cast<int>(image.size(2)), .height = static_cast<int>(image.size(1))};
  plane.values.assign(share.const_data_ptr<float>(), share.const_data_ptr<float>() + share.numel());
  return plane;
}

}  // namespace terragen::synthesis
