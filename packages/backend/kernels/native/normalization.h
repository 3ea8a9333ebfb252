// Batch normalization over all axes but the last, with a ReLU after it if wanted, and its gradient, in two passes over memory each.
#pragma once

#include <cstdint>

namespace voxface {

struct Normalization {
  int64_t rows, channels;
  float epsilon;
  bool is_rectified;
};

/**
 * y = (x - mean) / sqrt(variance + epsilon) * scale + offset, or zero where that is negative.
 * @param x [rows, channels], scale, offset [channels]
 * @param mean, variance statistics of the batch, [channels]; the variance is biased
 */
void Normalize(const Normalization& shape, const float* x, const float* scale, const float* offset, float* y, float* mean,
               float* variance);

/**
 * Gradients of x, scale and offset. Where `other` is given, it is added to that of x.
 * @param dy, x, other, dx [rows, channels], all others [channels]
 */
void NormalizeGradient(const Normalization& shape, const float* dy, const float* x, const float* scale, const float* offset,
                       const float* mean, const float* variance, const float* other, float* dx, float* dscale, float* doffset);

}  // namespace voxface
