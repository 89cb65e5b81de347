#include "terragen/nn/group_norm_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
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

// Positions of an image whose sums are taken together, whoever takes them: what comes out is the same on any number of
// threads.
constexpr std::int64_t kChunk = 1024;

std::int64_t chunks_of(const GroupNormShape& shape) { return (shape.positions + kChunk - 1) / kChunk; }

// Sums over one chunk of image n. sums: [2 channels], of the values and of their squares.
template <typename T>
TERRAGEN_INLINE void sum_chunk(const Forward<T>& f, std::int64_t n, std::int64_t chunk, float* sums) {
  const std::int64_t channels = f.shape.channels;
  float* __restrict sum = sums;
  float* __restrict square = sums + channels;
  for (std::int64_t c = 0; c < 2 * channels; ++c) sums[c] = 0;
  const std::int64_t end = std::min(f.shape.positions, (chunk + 1) * kChunk);
  for (std::int64_t p = chunk * kChunk; p < end; ++p) {
    const T* __restrict row = f.x + (n * f.shape.positions + p) * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float v = load(row[c]);
      sum[c] += v;
      square[c] += v * v;
    }
  }
}

TERRAGEN_INLINE void add_chunk(const float* __restrict sums, double* __restrict totals, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) totals[c] += static_cast<double>(sums[c]);
}

// Moments of image n, and what they make of a value: scale x + shift. totals: [2 channels]; affine: [2 channels].
template <typename T>
TERRAGEN_INLINE void finish_moments(const Forward<T>& f, std::int64_t n, const double* totals, float* affine) {
  const std::int64_t channels = f.shape.channels;
  const std::int64_t wide = channels / f.shape.groups;
  const double count = static_cast<double>(wide * f.shape.positions);
  for (std::int64_t g = 0; g < f.shape.groups; ++g) {
    double total = 0;
    double squares = 0;
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      total += totals[c];
      squares += totals[channels + c];
    }
    const double mean = total / count;
    const double rstd = 1.0 / std::sqrt(std::fmax(0.0, squares / count - mean * mean) + f.eps);
    f.mean[n * f.shape.groups + g] = static_cast<float>(mean);
    f.rstd[n * f.shape.groups + g] = static_cast<float>(rstd);
    for (std::int64_t c = g * wide; c < (g + 1) * wide; ++c) {
      const double slope = rstd * static_cast<double>(f.weight[c]);
      affine[c] = static_cast<float>(slope);
      affine[channels + c] = static_cast<float>(static_cast<double>(f.bias[c]) - mean * slope);
    }
  }
}

template <typename T>
TERRAGEN_INLINE void write_rows(const Forward<T>& f, std::int64_t n, std::int64_t begin, std::int64_t end,
                                const float* affine) {
  const std::int64_t channels = f.shape.channels;
  const float* __restrict scale = affine;
  const float* __restrict shift = affine + channels;
  for (std::int64_t p = begin; p < end; ++p) {
    const T* __restrict row = f.x + (n * f.shape.positions + p) * channels;
    T* __restrict to = f.y + (n * f.shape.positions + p) * channels;
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

template <typename T>
TERRAGEN_INLINE void forward_image(const Forward<T>& f, std::int64_t n) {
  const std::int64_t channels = f.shape.channels;
  std::vector<float> buffer(static_cast<std::size_t>(2 * channels));
  std::vector<double> totals(static_cast<std::size_t>(2 * channels), 0.0);
  for (std::int64_t chunk = 0; chunk < chunks_of(f.shape); ++chunk) {
    sum_chunk(f, n, chunk, buffer.data());
    add_chunk(buffer.data(), totals.data(), 2 * channels);
  }
  finish_moments(f, n, totals.data(), buffer.data());
  write_rows(f, n, 0, f.shape.positions, buffer.data());
}

// The same in pieces, for images that are fewer than threads. Item i is chunk i % chunks of image i / chunks.
template <typename T>
struct ForwardSums {
  const Forward<T>& all;
  float* sums;  // [items, 2 channels]
};

template <typename T>
struct ForwardRows {
  const Forward<T>& all;
  const float* affine;  // [images, 2 channels]
};

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

TERRAGEN_INLINE void one_item(const Forward<float>& work, std::int64_t n) { forward_image(work, n); }
TERRAGEN_INLINE void one_item(const Forward<Half>& work, std::int64_t n) { forward_image(work, n); }
template <typename T>
TERRAGEN_INLINE void one_item(const ForwardSums<T>& work, std::int64_t item) {
  const std::int64_t chunks = chunks_of(work.all.shape);
  sum_chunk(work.all, item / chunks, item % chunks, work.sums + 2 * work.all.shape.channels * item);
}
template <typename T>
TERRAGEN_INLINE void one_item(const ForwardRows<T>& work, std::int64_t item) {
  const std::int64_t chunks = chunks_of(work.all.shape);
  const std::int64_t n = item / chunks;
  const std::int64_t begin = item % chunks * kChunk;
  write_rows(work.all, n, begin, std::min(work.all.shape.positions, begin + kChunk),
             work.affine + 2 * work.all.shape.channels * n);
}
TERRAGEN_INLINE void one_item(const Backward<float>& work, std::int64_t n) { backward_image(work, n); }
TERRAGEN_INLINE void one_item(const Backward<Half>& work, std::int64_t n) { backward_image(work, n); }

template <typename Work>
void any_processor(const Work& work, std::int64_t n) {
  one_item(work, n);
}

#if defined(__x86_64__)
template <typename Work>
[[gnu::target("arch=x86-64-v3")]] void avx2(const Work& work, std::int64_t n) {
  one_item(work, n);
}

template <typename Work>
[[gnu::target("arch=x86-64-v4,prefer-vector-width=512")]] void avx512(const Work& work, std::int64_t n) {
  one_item(work, n);
}
#endif

template <typename Work>
void run(const Work& work, std::int64_t items) {
  void (*chosen)(const Work&, std::int64_t) = any_processor<Work>;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4") != 0) {
    chosen = avx512<Work>;
  } else if (__builtin_cpu_supports("x86-64-v3") != 0) {
    chosen = avx2<Work>;
  }
#endif
  at::parallel_for(0, items, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) chosen(work, i);
  });
}

template <typename T>
void run_in_pieces(const Forward<T>& work) {
  const std::int64_t chunks = chunks_of(work.shape);
  const std::int64_t items = work.shape.images * chunks;
  const std::int64_t two = 2 * work.shape.channels;
  std::vector<float> sums(static_cast<std::size_t>(items * two)),
      affine(static_cast<std::size_t>(work.shape.images * two));
  run(ForwardSums<T>{work, sums.data()}, items);
  for (std::int64_t n = 0; n < work.shape.images; ++n) {
    std::vector<double> totals(static_cast<std::size_t>(two), 0.0);
    for (std::int64_t i = n * chunks; i < (n + 1) * chunks; ++i) add_chunk(sums.data() + i * two, totals.data(), two);
    finish_moments(work, n, totals.data(), affine.data() + n * two);
  }
  run(ForwardRows<T>{work, affine.data()}, items);
}

template <typename T>
void forward(const GroupNormShape& shape, const void* x, const float* weight, const float* bias, double eps, bool silu,
             void* y, float* mean, float* rstd) {
  const Forward<T> work{shape, static_cast<const T*>(x), weight, bias, eps, silu, static_cast<T*>(y), mean, rstd};
  if (shape.images < at::get_num_threads() && !at::in_parallel_region() && chunks_of(shape) > 1)
    return run_in_pieces(work);
  run(work, shape.images);
}

template <typename T>
void backward(const GroupNormShape& shape, const void* dy, const void* x, const float* weight, const float* bias,
              bool silu, const float* mean, const float* rstd, void* dx, float* dweight, float* dbias) {
  run(Backward<T>{shape, static_cast<const T*>(dy), static_cast<const T*>(x), weight, bias, silu, mean, rstd,
                  static_cast<T*>(dx), dweight, dbias},
      shape.images);
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
