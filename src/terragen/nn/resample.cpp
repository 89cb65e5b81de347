#include "terragen/nn/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace terragen::nn {
namespace {

// What every new pixel takes along one axis: [taps, pixels], numbers of old pixels (int64) and their weights (float32).
struct AxisTaps {
  torch::Tensor pixels, weights;
};

// Cubic convolution with a = -0.75 in float32, products and sums fused, for a distance up to 1 and for one of 1 to 2.
float near_cubic(float x) { return std::fma(std::fma(1.25F, x, -2.25F) * x, x, 1.0F); }
float far_cubic(float x) { return std::fma(std::fma(std::fma(-0.75F, x, 3.75F), x, -6.0F), x, 3.0F); }

// The library's own operators for this differ from release to release by more than 1e-6 of the range, by the rounding
// of where a new pixel lies. Here it is that of release 1.13: the step is rounded to float32, and for bicubic
// interpolation the pixel below follows from the place so rounded; the distance to it is from the exact place.
AxisTaps axis_taps(std::int64_t from, std::int64_t to, std::optional<double> factor, const ResizeOptions& options) {
  const bool cubic = options.how == Interpolation::bicubic;
  const auto old_size = static_cast<float>(from), new_size = static_cast<float>(to);
  float step = factor ? static_cast<float>(1.0 / *factor) : old_size / new_size;
  if (options.align_corners) step = to > 1 ? (old_size - 1.0F) / (new_size - 1.0F) : 0.0F;
  const auto exact_step = static_cast<double>(step);
  const std::int64_t count = cubic ? 4 : 2;
  AxisTaps taps{torch::empty({count, to}, torch::kInt64), torch::empty({count, to}, torch::kFloat32)};
  auto pixels = taps.pixels.accessor<std::int64_t, 2>();
  auto weights = taps.weights.accessor<float, 2>();
  for (std::int64_t i = 0; i < to; ++i) {
    const auto number = static_cast<double>(i);
    double place = options.align_corners ? exact_step * number : exact_step * (number + 0.5) - 0.5;
    if (!cubic) place = std::max(0.0, place);
    const double below = std::floor(cubic ? static_cast<double>(static_cast<float>(place)) : place);
    const auto beyond = static_cast<float>(place - below), short_of = 1.0F - beyond;
    const std::array<float, 4> values = cubic ? std::array{far_cubic(beyond + 1.0F), near_cubic(beyond),
                                                           near_cubic(short_of), far_cubic(short_of + 1.0F)}
                                              : std::array{short_of, beyond, 0.0F, 0.0F};
    const std::int64_t first = static_cast<std::int64_t>(below) - (cubic ? 1 : 0);
    for (std::int64_t tap = 0; tap < count; ++tap) {
      pixels[tap][i] = std::clamp<std::int64_t>(first + tap, 0, from - 1);
      weights[tap][i] = values[static_cast<std::size_t>(tap)];
    }
  }
  return taps;
}

// dim: 2 or 3 of [N, C, H, W].
torch::Tensor weighted_along(const torch::Tensor& images, std::int64_t dim, const AxisTaps& taps) {
  const torch::Tensor pixels = taps.pixels.to(images.device());
  torch::Tensor weights = taps.weights.to(images);
  if (dim == 2) weights = weights.unsqueeze(2);
  torch::Tensor sum = images.index_select(dim, pixels[0]) * weights[0];
  for (std::int64_t tap = 1; tap < pixels.size(0); ++tap) {
    sum = sum + images.index_select(dim, pixels[tap]) * weights[tap];
  }
  return sum;
}

// Without antialiasing, bilinear and bicubic.
torch::Tensor interpolated_smoothly(const torch::Tensor& images, torch::IntArrayRef size, std::optional<double> factor,
                                    const ResizeOptions& options) {
  const auto type = images.scalar_type();
  const torch::Tensor values = type == torch::kFloat64 ? images : images.to(torch::kFloat32);
  const torch::Tensor wide = weighted_along(values, 3, axis_taps(images.size(3), size[1], factor, options));
  return weighted_along(wide, 2, axis_taps(images.size(2), size[0], factor, options)).to(type);
}

// factor: what the distance of the pixels follows from, instead of the two sizes.
torch::Tensor interpolated(const torch::Tensor& images, torch::IntArrayRef size, std::optional<double> factor,
                           const ResizeOptions& options) {
  const bool smooth = options.how == Interpolation::bilinear || options.how == Interpolation::bicubic;
  TORCH_CHECK_VALUE(smooth || !(options.align_corners || options.antialias),
                    "align_corners and antialias are for bilinear and bicubic interpolation");
  TORCH_CHECK_VALUE(images.dim() == 4 && images.size(2) > 0 && images.size(3) > 0 && size[0] > 0 && size[1] > 0,
                    "an image of no size has no other size");
  switch (options.how) {
    case Interpolation::nearest:
      return at::upsample_nearest2d(images, size, factor, factor);
    case Interpolation::nearest_exact:
      return at::_upsample_nearest_exact2d(images, size, factor, factor);
    case Interpolation::area:
      return at::adaptive_avg_pool2d(images, size);
    case Interpolation::bilinear:
      return options.antialias ? at::_upsample_bilinear2d_aa(images, size, options.align_corners, factor, factor)
                               : interpolated_smoothly(images, size, factor, options);
    case Interpolation::bicubic:
      return options.antialias ? at::_upsample_bicubic2d_aa(images, size, options.align_corners, factor, factor)
                               : interpolated_smoothly(images, size, factor, options);
  }
  TORCH_CHECK_VALUE(false, "unknown interpolation");
}

// Weights are whole numbers of 2^-22: the products of a byte and weights that sum to at most 2 stay within 32 bits.
constexpr int kWeightBits = 22;

double filter_reach(ByteFilter filter) {
  switch (filter) {
    case ByteFilter::nearest:
    case ByteFilter::box:
      return 0.5;
    case ByteFilter::bilinear:
      return 1.0;
    case ByteFilter::bicubic:
      return 2.0;
    case ByteFilter::lanczos:
      return 3.0;
  }
  TORCH_CHECK_VALUE(false, "unknown filter");
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

// Keys 1981: the cubic convolution that is exact for parabolas.
double keys_cubic(double distance) {
  constexpr double kSlope = -0.5;
  if (distance < 1.0) return ((kSlope + 2.0) * distance - (kSlope + 3.0)) * distance * distance + 1.0;
  if (distance < 2.0) return (((distance - 5.0) * distance + 8.0) * distance - 4.0) * kSlope;
  return 0.0;
}

double filter_value(ByteFilter filter, double x) {
  switch (filter) {
    case ByteFilter::nearest:
    case ByteFilter::box:
      return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;  // a pixel on the border of two goes to one of them
    case ByteFilter::bilinear:
      return std::max(0.0, 1.0 - std::abs(x));
    case ByteFilter::bicubic:
      return keys_cubic(std::abs(x));
    case ByteFilter::lanczos:
      return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
  }
  TORCH_CHECK_VALUE(false, "unknown filter");
}

// What one new pixel is made of along one axis: weights of old pixels from `first` on.
struct PixelTaps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<PixelTaps> pixel_taps(std::int64_t from, std::int64_t to, ByteFilter filter) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(step, 1.0);
  const double reach = filter_reach(filter) * stretch;
  std::vector<PixelTaps> all;
  for (std::int64_t pixel = 0; pixel < to; ++pixel) {
    const double centre = (static_cast<double>(pixel) + 0.5) * step;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach + 0.5)));
    const auto end = std::min(from, static_cast<std::int64_t>(std::floor(centre + reach + 0.5)));
    std::vector<double> values;
    double sum = 0.0;
    for (std::int64_t i = first; i < end; ++i) {
      values.push_back(filter_value(filter, (static_cast<double>(i) - centre + 0.5) / stretch));
      sum += values.back();
    }
    PixelTaps taps{first, {}};
    for (const double value : values) {
      const double scaled = (sum != 0.0 ? value / sum : value) * (1 << kWeightBits);
      taps.weights.push_back(static_cast<std::int32_t>(scaled + std::copysign(0.5, scaled)));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

// bytes: [outer, from, inner], contiguous; the result [outer, to, inner].
torch::Tensor resample_middle(const torch::Tensor& bytes, std::int64_t to, ByteFilter filter) {
  const std::int64_t outer = bytes.size(0), from = bytes.size(1), inner = bytes.size(2);
  const std::vector<PixelTaps> all = pixel_taps(from, to, filter);
  torch::Tensor result = torch::empty({outer, to, inner}, torch::kUInt8);
  const auto* source = bytes.const_data_ptr<std::uint8_t>();
  auto* target = result.mutable_data_ptr<std::uint8_t>();
  std::vector<std::int32_t> sums(static_cast<std::size_t>(inner));
  for (std::int64_t line = 0; line < outer; ++line) {
    for (const PixelTaps& taps : all) {
      std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));  // a half, so that the shift below rounds
      const std::uint8_t* pixel = source + (line * from + taps.first) * inner;
      for (const std::int32_t weight : taps.weights) {
        for (std::int32_t& sum : sums) sum += weight * *pixel++;
      }
      for (const std::int32_t sum : sums) *target++ = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
    }
  }
  return result;
}

// The old pixel under the centre of every new one. Pillow adds the step up pixel by pixel: what that rounds decides
// where a centre falls on the border between two.
torch::Tensor nearest_pixels(std::int64_t from, std::int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<std::int64_t> pixels;
  double centre = step * 0.5;
  for (std::int64_t i = 0; i < to; ++i, centre += step) {
    pixels.push_back(std::min(from - 1, static_cast<std::int64_t>(centre)));
  }
  return torch::tensor(pixels, torch::kInt64);
}

}  // namespace

torch::Tensor resize_images(const torch::Tensor& images, std::int64_t height, std::int64_t width,
                            const ResizeOptions& options) {
  return interpolated(images, {height, width}, std::nullopt, options);
}

torch::Tensor resize_images_by(const torch::Tensor& images, double factor, const ResizeOptions& options, bool whole) {
  const auto size_of = [&](std::int64_t dim) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(images.size(dim)) * factor));
  };
  return interpolated(images, {size_of(2), size_of(3)}, whole ? std::nullopt : std::optional(factor), options);
}

torch::Tensor sample_images(const torch::Tensor& images, const torch::Tensor& places, Interpolation how,
                            Outside outside, bool align_corners) {
  TORCH_CHECK_VALUE(how == Interpolation::nearest || how == Interpolation::bilinear || how == Interpolation::bicubic,
                    "images are sampled nearest, bilinear or bicubic");
  const std::int64_t mode = how == Interpolation::bilinear ? 0 : how == Interpolation::nearest ? 1 : 2;
  const std::int64_t padding = outside == Outside::zeros ? 0 : outside == Outside::border ? 1 : 2;
  return at::grid_sampler(images, places, mode, padding, align_corners);
}

torch::Tensor resize_bytes(const torch::Tensor& image, std::int64_t height, std::int64_t width, ByteFilter filter) {
  TORCH_CHECK_TYPE(image.scalar_type() == torch::kUInt8 && image.device().is_cpu(), "bytes are resized on the CPU");
  TORCH_CHECK_VALUE((image.dim() == 2 || image.dim() == 3) && image.numel() > 0 && height > 0 && width > 0,
                    "an image of no size has no other size");
  if (filter == ByteFilter::nearest) {
    return image.index_select(0, nearest_pixels(image.size(0), height))
        .index_select(1, nearest_pixels(image.size(1), width));
  }
  const std::int64_t rows = image.size(0), bands = image.dim() == 3 ? image.size(2) : 1;
  const torch::Tensor wide = resample_middle(image.contiguous().view({rows, -1, bands}), width, filter);
  const torch::Tensor done = resample_middle(wide.view({1, rows, width * bands}), height, filter);
  return image.dim() == 3 ? done.view({height, width, bands}) : done.view({height, width});
}

torch::Tensor resize_bytes_shorter(const torch::Tensor& image, std::int64_t shorter, ByteFilter filter) {
  const std::int64_t height = image.size(0), width = image.size(1);
  const std::int64_t longer = shorter * std::max(height, width) / std::min(height, width);
  return height < width ? resize_bytes(image, shorter, longer, filter) : resize_bytes(image, longer, shorter, filter);
}

torch::Tensor crop_centre(const torch::Tensor& image, std::int64_t height, std::int64_t width) {
  const std::int64_t rest_y = image.size(0) - height, rest_x = image.size(1) - width;
  TORCH_CHECK_VALUE(rest_y >= 0 && rest_x >= 0, "the image is smaller than the part wanted");
  const auto first = [](std::int64_t rest) { return std::lrint(static_cast<double>(rest) / 2.0); };  // halves to even
  return image.narrow(0, first(rest_y), height).narrow(1, first(rest_x), width);
}

torch::Tensor grey_bytes(const torch::Tensor& image) {
  const torch::Tensor weights = torch::tensor({19595, 38470, 7471}, torch::kInt32).to(image.device());  // sum: 2^16
  return ((image.to(torch::kInt32) * weights).sum(2, false, torch::kInt32) + 0x8000)
      .bitwise_right_shift(16)
      .to(torch::kUInt8);
}

torch::Tensor clip_image_input(const torch::Tensor& image, std::int64_t size) {
  const torch::Tensor mean = torch::tensor({0.48145466, 0.4578275, 0.40821073}, torch::kFloat32);
  const torch::Tensor spread = torch::tensor({0.26862954, 0.26130258, 0.27577711}, torch::kFloat32);
  const torch::Tensor bytes = crop_centre(resize_bytes_shorter(image, size, ByteFilter::bicubic), size, size);
  return ((bytes.to(torch::kFloat32) / 255.0 - mean) / spread).permute({2, 0, 1}).contiguous();
}

}  // namespace terragen::nn
