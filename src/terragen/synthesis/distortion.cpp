#include "terragen/synthesis/distortion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "terragen/tensor/seeded_noise.h"

namespace terragen::synthesis {
namespace {

// What such a box holds is not known, so that no upright box about a turned one could be as close.
bool has_upright_boxes(const layout::Layout& layout) {
  return std::ranges::any_of(layout.features, [](const layout::Feature& feature) {
    return feature.geometry.kind == layout::GeometryKind::box;
  });
}

}  // namespace

shards::Sample photometric_distortion(const shards::Sample& sample, Random& random) {
  shards::Sample result = sample;
  const auto factor = [&](double most) { return random.uniform(1 - most, 1 + most); };
  const double contrast = factor(0.3);
  const double saturation = factor(0.3);
  const double brightness = random.uniform(-0.3, 0.3);
  const double gamma = std::pow(1.4, random.uniform(-1.0, 1.0));
  const double noise = random.uniform(0.0, 0.06);
  const auto seed = static_cast<std::uint64_t>(random.below(std::int64_t{1} << 52));
  const torch::Tensor mean = sample.image.mean();
  torch::Tensor image = (sample.image - mean) * contrast + mean + brightness;
  const torch::Tensor grey = image.mean(0, true);
  image = (image - grey) * saturation + grey;
  image = ((image.clamp(-1.0, 1.0) + 1) / 2).pow(gamma) * 2 - 1;
  image = image + noise * tensor::seeded_normal(image.sizes().vec(), seed);
  result.image = image.clamp(-1.0, 1.0) * sample.valid;
  result.source = sample.source + " with other colours";
  return result;
}

shards::Sample geometric_distortion(const shards::Sample& sample, Random& random) {
  const double angle = random.uniform(0.0, 2 * std::numbers::pi);
  const double scale = std::pow(1.25, random.uniform(-1.0, 1.0));
  double shear = random.uniform(-0.1, 0.1);
  double cosine = std::cos(angle);
  double sine = std::sin(angle);
  if (has_upright_boxes(sample.layout)) {
    constexpr std::array<double, 4> kCosines{1, 0, -1, 0};
    const auto turns = static_cast<std::size_t>(angle / (std::numbers::pi / 2)) % 4;
    cosine = kCosines.at(turns);
    sine = kCosines.at((turns + 3) % 4);
    shear = 0;
  }
  const double w = sample.layout.width;
  const double h = sample.layout.height;
  // About the middle: result = A (source - middle) + middle.
  const double c = cosine * scale;
  const double s = sine * scale;
  const double b = -s + shear * c;
  const double e = c + shear * s;
  const layout::Affine map{
      .a = c, .b = b, .c = w / 2 - c * w / 2 - b * h / 2, .d = s, .e = e, .f = h / 2 - s * w / 2 - e * h / 2};
  const double determinant = map.a * map.e - map.b * map.d;

  shards::Sample result = sample;
  // The inverse in the sampler's coordinates, where the image spans [-1, 1] both ways.
  const auto inverse = torch::tensor({map.e / determinant, -map.b / determinant * h / w, 0.0,
                                      -map.d / determinant * w / h, map.a / determinant, 0.0})
                           .view({1, 2, 3})
                           .to(torch::kFloat32);
  const torch::Tensor grid =
      at::affine_grid_generator(inverse, {1, 1, sample.layout.height, sample.layout.width}, false);
  const auto sampled = [&](const torch::Tensor& planes, std::int64_t mode) {
    return at::grid_sampler(planes.unsqueeze(0), grid, mode, 0, false)[0];
  };
  constexpr std::int64_t kBilinear = 0;
  constexpr std::int64_t kNearest = 1;
  result.valid = sampled(sample.valid.unsqueeze(0), kNearest)[0];
  result.image = sampled(sample.image, kBilinear) * result.valid;
  if (sample.layout.mask) {
    layout::DenseMask mask = *sample.layout.mask;
    const torch::Tensor values = torch::from_blob(mask.values.data(), {mask.height, mask.width}, torch::kUInt8);
    const torch::Tensor moved = sampled(values.to(torch::kFloat32).unsqueeze(0), kNearest)[0]
                                    .masked_fill(result.valid.eq(0), layout::kUnlabelled)
                                    .round()
                                    .to(torch::kUInt8)
                                    .contiguous();
    const auto* first = moved.const_data_ptr<std::uint8_t>();
    result.layout.mask->values.assign(first, first + moved.numel());
  }
  std::vector<layout::Feature> kept;
  for (layout::Feature feature : sample.layout.features) {
    const layout::Geometry moved = layout::transform(feature.geometry, map);
    const double area = layout::area_of(moved);
    feature.geometry = layout::clip(moved, {0, 0, w, h});
    if (!layout::is_empty(feature.geometry) && layout::area_of(feature.geometry) >= 0.2 * area) {
      kept.push_back(std::move(feature));
    }
  }
  result.layout.features = std::move(kept);
  if (result.layout.gsd) *result.layout.gsd /= std::sqrt(std::abs(determinant));
  result.source = sample.source + " turned and resized";
  return result;
}

}  // namespace terragen::synthesis
