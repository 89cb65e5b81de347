// Group normalisation of channels-last data on the processor, in one pass for the moments and one for the result. The
// library's own kernel for this layout handles a group's few channels one by one and takes a quarter of a training
// step.
#pragma once

#include <cstdint>

namespace terragen::nn {

// Rows of `channels` values, `positions` rows an image, `images` images, densely packed.
struct GroupNormShape {
  std::int64_t images = 0;
  std::int64_t positions = 0;
  std::int64_t channels = 0;
  std::int64_t groups = 0;
};

// How a value is kept: 32-bit floating point, or the upper half of it (bfloat16).
enum class GroupNormStorage { float32, bfloat16 };

// y = f((x - mean) rstd weight + bias), f the identity or SiLU. weight, bias: [channels], never null; mean, rstd:
// [images, groups], written. x, y: in `storage`.
void group_norm_forward(const GroupNormShape& shape, GroupNormStorage storage, const void* x, const float* weight,
                        const float* bias, double eps, bool silu, void* y, float* mean, float* rstd);

// Gradients from dy; dweight and dbias: [images, channels], one row an image, to be summed by the caller.
void group_norm_backward(const GroupNormShape& shape, GroupNormStorage storage, const void* dy, const void* x,
                         const float* weight, const float* bias, bool silu, const float* mean, const float* rstd,
                         void* dx, float* dweight, float* dbias);

}  // namespace terragen::nn
