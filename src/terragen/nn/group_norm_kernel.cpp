#include "terragen/nn/group_norm_kernel.h"

#include <ATen/Parallel.h>

#include <bit>
#include <cmath>
#include <vector>

// The loops below run over channels and hold no sums across them, so that the compiler turns them into vector
// instructions; each is compiled for three generations of processors and chosen at run time.
#if defined(__x86_64__)
#define TERRAGEN_INLINE [[gnu::always_inline]] inline
#else
#define TERRAGEN_INLINE inline
#endif

namespace terragen::nn {
namespace {

using Half = std::uint16_t;  // bfloat16 by its bits

TERRAGEN_INLINE float load(float value) { return value; }
TERRAGEN_INLINE float load(Half bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

TERRAGEN_INLINE void store(float value, float& to) { to = value; }
TERRAGEN_INLINE void store(float value, Half& to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;  // to nearest, ties to even
  const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  to = static_cast<Half>(nan ? 0x7fc0U : rounded);
}

// e^x with a relative error below 2e-7: 2^n by its bits, the rest by a polynomial. Clamped where e^x leaves the range.
TERRAGEN_INLINE float exponential(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves a whole number in the low bits
  x = x < -87.0F ? -87.0F : x;
  x = x > 87.0F ? 87.0F : x;
  const float shifted = x * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const std::uint32_t power = (std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000U;
  return p * std::bit_cast<float>(power);
}

TERRAGEN_INLINE float sigmoid(float z) { return 1.0F / (1.0F + exponential(-z)); }

template <typename T>
struct Forward {
  GroupNormShape shape;
  const T* x;
  const float* weight;
  const float* bias;
  double eps;
  bool silu;
  T* y;
  float* mean;
  float* rstd;
};

template <typename T>
struct Backward {
  GroupNormShape shape;
  const T* dy;
  const T* x;
  const float* weight;
  const float* bias;
  bool silu;
  const float* mean;
  const float* rstd;
  T* dx;
  float* dweight;
  float* dbias;
};

template <typename T>
TERRAGEN_INLINE void forward_image(const Forward<T>& f, std::int64_t n) {
  const std::int64_t channels = f.shape.channels;
  const std::int64_t wide = channels / f.shape.groups;
  std::vector<float> buffer(static_cast<std::size_t>(4 * channels), 0.0F);
  float* __restrict sum = buffer.data();
  float* __restrict square = sum + channels;
  float* __restrict scale = square + channels;
  float* __restrict shift = scale + channels;
  const T* image = f.x + n * f.shape.positions * channels;
  for (std::int64_t p = 0; p < f.shape.positions; ++p) {
    const T* __restrict row = image + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float v = load(row[c]);
      sum[c] += v;
      square[c] += v * v;
    }
  }
  for (std::int64_t g = 0; g < f.shape.groups; ++g) {
    double total = 0;
    double squares = 0;
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      total += static_cast<double>(sum[c]);
      squares += static_cast<double>(square[c]);
    }
    const double count = static_cast<double>(wide * f.shape.positions);
    const double mean = total / count;
    const double rstd = 1.0 / std::sqrt(std::fmax(0.0, squares / count - mean * mean) + f.eps);
    f.mean[n * f.shape.groups + g] = static_cast<float>(mean);
    f.rstd[n * f.shape.groups + g] = static_cast<float>(rstd);
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      const double slope = rstd * static_cast<double>(f.weight[c]);
      scale[c] = static_cast<float>(slope);
      shift[c] = static_cast<float>(static_cast<double>(f.bias[c]) - mean * slope);
    }
  }
  T* result = f.y + n * f.shape.positions * channels;
  for (std::int64_t p = 0; p < f.shape.positions; ++p) {
    const T* __restrict row = image + p * channels;
    T* __restrict to = result + p * channels;
    if (f.silu) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float z = load(row[c]) * scale[c] + shift[c];
        store(z * sigmoid(z), to[c]);
      }
    } else {
      for (std::int64_t c = 0; c < channels; ++c) store(load(row[c]) * scale[c] + shift[c], to[c]);
    }
  }
}

// The gradient in front of the activation.
TERRAGEN_INLINE float silu_gradient(float dy, float z) {
  const float s = sigmoid(z);
  return dy * s * (1.0F + z * (1.0F - s));
}

template <typename T>
TERRAGEN_INLINE void backward_image(const Backward<T>& b, std::int64_t n) {
  const std::int64_t channels = b.shape.channels;
  const std::int64_t wide = channels / b.shape.groups;
  std::vector<float> buffer(static_cast<std::size_t>(6 * channels), 0.0F);
  float* __restrict with_x = buffer.data();  // sum of dz x
  float* __restrict alone = with_x + channels;
  float* __restrict scale = alone + channels;
  float* __restrict shift = scale + channels;
  float* __restrict by_x = shift + channels;  // dx = dz scale + x by_x + rest
  float* __restrict rest = by_x + channels;
  const float* mean = b.mean + n * b.shape.groups;
  const float* rstd = b.rstd + n * b.shape.groups;
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t g = c / wide;
    scale[c] = rstd[g] * b.weight[c];
    shift[c] = b.bias[c] - mean[g] * scale[c];
  }
  const std::int64_t offset = n * b.shape.positions * channels;
  for (std::int64_t p = 0; p < b.shape.positions; ++p) {
    const T* __restrict x = b.x + offset + p * channels;
    const T* __restrict dy = b.dy + offset + p * channels;
    if (b.silu) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float v = load(x[c]);
        const float dz = silu_gradient(load(dy[c]), v * scale[c] + shift[c]);
        with_x[c] += dz * v;
        alone[c] += dz;
      }
    } else {
      for (std::int64_t c = 0; c < channels; ++c) {
        with_x[c] += load(dy[c]) * load(x[c]);
        alone[c] += load(dy[c]);
      }
    }
  }
  const double count = static_cast<double>(wide * b.shape.positions);
  for (std::int64_t g = 0; g < b.shape.groups; ++g) {
    double ds = 0;
    double db = 0;
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      ds += static_cast<double>(with_x[c]) * static_cast<double>(b.weight[c]);
      db += static_cast<double>(alone[c]) * static_cast<double>(b.weight[c]);
    }
    const auto r = static_cast<double>(rstd[g]);
    const auto m = static_cast<double>(mean[g]);
    const double slope = (db * m - ds) * r * r * r / count;
    const double constant = -slope * m - db * r / count;
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      by_x[c] = static_cast<float>(slope);
      rest[c] = static_cast<float>(constant);
      b.dweight[n * channels + c] = (with_x[c] - mean[g] * alone[c]) * rstd[g];
      b.dbias[n * channels + c] = alone[c];
    }
  }
  for (std::int64_t p = 0; p < b.shape.positions; ++p) {
    const T* __restrict x = b.x + offset + p * channels;
    const T* __restrict dy = b.dy + offset + p * channels;
    T* __restrict dx = b.dx + offset + p * channels;
    if (b.silu) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float v = load(x[c]);
        const float dz = silu_gradient(load(dy[c]), v * scale[c] + shift[c]);
        store(dz * scale[c] + v * by_x[c] + rest[c], dx[c]);
      }
    } else {
      for (std::int64_t c = 0; c < channels; ++c) {
        store(load(dy[c]) * scale[c] + load(x[c]) * by_x[c] + rest[c], dx[c]);
      }
    }
  }
}

TERRAGEN_INLINE void one_image(const Forward<float>& work, std::int64_t n) { forward_image(work, n); }
TERRAGEN_INLINE void one_image(const Forward<Half>& work, std::int64_t n) { forward_image(work, n); }
TERRAGEN_INLINE void one_image(const Backward<float>& work, std::int64_t n) { backward_image(work, n); }
TERRAGEN_INLINE void one_image(const Backward<Half>& work, std::int64_t n) { backward_image(work, n); }

template <typename Work>
void any_processor(const Work& work, std::int64_t n) {
  one_image(work, n);
}

#if defined(__x86_64__)
template <typename Work>
[[gnu::target("arch=x86-64-v3")]] void avx2(const Work& work, std::int64_t n) {
  one_image(work, n);
}

template <typename Work>
[[gnu::target("arch=x86-64-v4,prefer-vector-width=512")]] void avx512(const Work& work, std::int64_t n) {
  one_image(work, n);
}
#endif

template <typename Work>
void run(const Work& work) {
  void (*chosen)(const Work&, std::int64_t) = any_processor<Work>;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4") != 0) {
    chosen = avx512<Work>;
  } else if (__builtin_cpu_supports("x86-64-v3") != 0) {
    chosen = avx2<Work>;
  }
#endif
  at::parallel_for(0, work.shape.images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) chosen(work, n);
  });
}

template <typename T>
void forward(const GroupNormShape& shape, const void* x, const float* weight, const float* bias, double eps, bool silu,
             void* y, float* mean, float* rstd) {
  run(Forward<T>{shape, static_cast<const T*>(x), weight, bias, eps, silu, static_cast<T*>(y), mean, rstd});
}

template <typename T>
void backward(const GroupNormShape& shape, const void* dy, const void* x, const float* weight, const float* bias,
              bool silu, const float* mean, const float* rstd, void* dx, float* dweight, float* dbias) {
  run(Backward<T>{shape, static_cast<const T*>(dy), static_cast<const T*>(x), weight, bias, silu, mean, rstd,
                  static_cast<T*>(dx), dweight, dbias});
}

}  // namespace

void group_norm_forward(const GroupNormShape& shape, GroupNormStorage storage, const void* x, const float* weight,
                        const float* bias, double eps, bool silu, void* y, float* mean, float* rstd) {
  const auto call = storage == GroupNormStorage::float32 ? forward<float> : forward<Half>;
  call(shape, x, weight, bias, eps, silu, y, mean, rstd);
}

void group_norm_backward(const GroupNormShape& shape, GroupNormStorage storage, const void* dy, const void* x,
                         const float* weight, const float* bias, bool silu, const float* mean, const float* rstd,
                         void* dx, float* dweight, float* dbias) {
  const auto call = storage == GroupNormStorage::float32 ? backward<float> : backward<Half>;
  call(shape, dy, x, weight, bias, silu, mean, rstd, dx, dweight, dbias);
}

}  // namespace terragen::nn
