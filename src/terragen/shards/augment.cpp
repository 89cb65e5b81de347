#include "terragen/shards/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace terragen::shards {
namespace {

torch::Tensor tensor_of(const layout::DenseMask& mask) {
  torch::Tensor tensor = torch::empty({mask.height, mask.width}, torch::kUInt8);
  std::memcpy(tensor.data_ptr(), mask.values.data(), mask.values.size());
  return tensor;
}

layout::DenseMask mask_of(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.contiguous();
  const auto* values = dense.data_ptr<std::uint8_t>();
  return {static_cast<int>(dense.size(1)), static_cast<int>(dense.size(0)), {values, values + dense.numel()}};
}

// The window [x, x + size) x [y, y + size) of planes [..., H, W]; zeros beyond the edge.
torch::Tensor window_of(const torch::Tensor& planes, int x, int y, int size) {
  const auto width = static_cast<int>(planes.size(-1));
  const auto height = static_cast<int>(planes.size(-2));
  const int x0 = std::max(0, x);
  const int y0 = std::max(0, y);
  const int x1 = std::min(width, x + size);
  const int y1 = std::min(height, y + size);
  const torch::Tensor inside = planes.slice(-1, x0, x1).slice(-2, y0, y1);
  return torch::constant_pad_nd(inside, {x0 - x, x + size - x1, y0 - y, y + size - y1}).contiguous();
}

Sample window(const Sample& sample, int x, int y, int size, double least_share) {
  Sample result;
  result.image = window_of(sample.image, x, y, size);
  result.valid = window_of(sample.valid, x, y, size);
  result.layout = layout::crop(sample.layout, x, y, size, size, least_share);
  result.source = sample.source;
  return result;
}

Sample resized(const Sample& sample, int width, int height) {
  Sample result = sample;
  const double sx = static_cast<double>(width) / sample.layout.width;
  const double sy = static_cast<double>(height) / sample.layout.height;
  namespace fn = torch::nn::functional;
  const auto options = fn::InterpolateFuncOptions()
                           .size(std::vector<std::int64_t>{height, width})
                           .mode(torch::kBilinear)
                           .align_corners(false)
                           .antialias(true);
  result.image = fn::interpolate(sample.image.unsqueeze(0), options).squeeze(0);
  // A pixel that drew on an invalid one is invalid.
  result.valid = fn::interpolate(sample.valid.view({1, 1, sample.layout.height, sample.layout.width}), options)
                     .squeeze(0)
                     .squeeze(0)
                     .gt(0.999)
                     .to(torch::kFloat32);
  result.layout.width = width;
  result.layout.height = height;
  if (result.layout.gsd) *result.layout.gsd /= std::sqrt(sx * sy);
  for (layout::Feature& feature : result.layout.features) {
    feature.geometry = layout::transform(feature.geometry, {.a = sx, .e = sy});
  }
  if (sample.layout.mask) {
    const torch::Tensor mask = tensor_of(*sample.layout.mask).unsqueeze(0).unsqueeze(0);
    result.layout.mask = mask_of(at::_upsample_nearest_exact2d(mask, {height, width}).squeeze(0).squeeze(0));
  }
  return result;
}

// Where a window of `size` starts along an extent: inside where it fits, centred where it does not.
int start(int extent, int size, double wanted) {
  if (extent <= size) return (extent - size) / 2;
  return static_cast<int>(std::clamp(wanted, 0.0, static_cast<double>(extent - size)));
}

// As (x, y); nothing where no pixel is labelled.
std::optional<std::pair<int, int>> pixel_of_some_class(const layout::DenseMask& mask,
                                                       const std::vector<double>& weights, Random& random) {
  std::array<std::int64_t, 256> counts{};
  for (const std::uint8_t value : mask.values) ++counts[value];
  counts[layout::kUnlabelled] = 0;
  const auto weight = [&](std::size_t k) {
    return counts[k] == 0 ? 0.0 : weights.empty() ? 1.0 : k < weights.size() ? weights[k] : 0.0;
  };
  double sum = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) sum += weight(k);
  const double drawn = random.uniform() * sum;
  const double which = random.uniform();
  if (sum == 0) return {};
  double passed = 0;
  std::size_t chosen = 0;
  for (std::size_t k = 0; k < counts.size() && (weight(chosen) == 0 || passed <= drawn); ++k) {
    if (weight(k) > 0) chosen = k;
    passed += weight(k);
  }
  auto left = static_cast<std::int64_t>(which * static_cast<double>(counts[chosen]));
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (mask.at(x, y) == chosen && left-- == 0) return std::pair(x, y);
    }
  }
  return {};
}

}  // namespace

torch::Tensor turned(const torch::Tensor& planes, unsigned symmetry) {
  torch::Tensor x = planes;
  if ((symmetry & 1U) != 0) x = x.flip(-1);
  if ((symmetry & 2U) != 0) x = x.flip(-2);
  if ((symmetry & 4U) != 0) x = x.transpose(-1, -2);
  return x.contiguous();
}

unsigned inverse_symmetry(unsigned symmetry) {
  const bool transposes = (symmetry & 4U) != 0;
  return transposes ? 4U | (symmetry & 1U) << 1U | (symmetry & 2U) >> 1U : symmetry;
}

Sample turned(const Sample& sample, unsigned symmetry) {
  Sample result = sample;
  result.image = turned(sample.image, symmetry);
  result.valid = turned(sample.valid, symmetry);
  const double w = sample.layout.width;
  const double h = sample.layout.height;
  layout::Affine map;
  if ((symmetry & 1U) != 0) map.a = -1, map.c = w;
  if ((symmetry & 2U) != 0) map.e = -1, map.f = h;
  if ((symmetry & 4U) != 0) {
    map = {.a = 0, .b = map.e, .c = map.f, .d = map.a, .e = 0, .f = map.c};
    std::swap(result.layout.width, result.layout.height);
  }
  for (layout::Feature& feature : result.layout.features) feature.geometry = layout::transform(feature.geometry, map);
  if (sample.layout.mask) result.layout.mask = mask_of(turned(tensor_of(*sample.layout.mask), symmetry));
  return result;
}

Sample augment(const Sample& sample, const AugmentOptions& options, Random& random) {
  // Drawn in one fixed order, so that a sample's draws do not depend on what it shows.
  const double factor = std::pow(options.scale_jitter, random.uniform(-1.0, 1.0));
  const auto symmetry = static_cast<unsigned>(random.below(8));
  const bool over_object = random.chance(options.object_share);
  const double pick = random.uniform();
  const double u = random.uniform();
  const double v = random.uniform();

  const double w = sample.layout.width;
  const double h = sample.layout.height;
  // The window is cut first and resized afterwards: less to compute, and the jitter never leaves the image needlessly.
  const bool small = std::min(w, h) * factor < options.crop;
  const double scale = small ? std::max(1.0, std::min(factor, options.crop / std::min(w, h))) : factor;
  const int source_size = std::max(8, static_cast<int>(std::lround(options.crop / scale)));
  double x = u * (w - source_size);
  double y = v * (h - source_size);
  const auto& features = sample.layout.features;
  if (over_object && !features.empty()) {
    const auto index = static_cast<std::size_t>(pick * static_cast<double>(features.size()));
    const layout::Bounds b = layout::bounds_of(features[std::min(index, features.size() - 1)].geometry);
    x = (b.x0 + b.x1) / 2 - u * source_size;
    y = (b.y0 + b.y1) / 2 - v * source_size;
  }
  // Drawn only where it is asked for, so that crops without it stay as they are.
  if (options.class_share > 0 && sample.layout.mask && random.chance(options.class_share)) {
    if (const auto pixel = pixel_of_some_class(*sample.layout.mask, options.class_weights, random)) {
      x = pixel->first + 0.5 - u * source_size;
      y = pixel->second + 0.5 - v * source_size;
    }
  }
  Sample result = window(sample, start(sample.layout.width, source_size, x),
                         start(sample.layout.height, source_size, y), source_size, options.least_share);
  if (source_size != options.crop) result = resized(result, options.crop, options.crop);
  return options.turn ? turned(result, symmetry) : result;
}

Sample centre_crop(const Sample& sample, int crop) {
  return window(sample, start(sample.layout.width, crop, (sample.layout.width - crop) / 2.0),
                start(sample.layout.height, crop, (sample.layout.height - crop) / 2.0), crop, 0.0);
}

}  // namespace terragen::shards
