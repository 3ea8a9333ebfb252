// Gradients of convolutions for processors with AVX2 and FMA. Letters as elsewhere: b batch, h w d space, c channels.
#pragma once

#include <cstdint>

namespace voxface {

/** A convolution of channels-last tensors in three dimensions; 2D ones have a middle dimension of one. */
struct Convolution {
  int64_t batch;
  /** Sizes of the volume, of the result, of the filter; steps; zeros before the first voxel. */
  int64_t in[3], out[3], kernel[3], stride[3], before[3];
  int64_t channels, filters;
};

/**
 * Gradient of the filter [kernel, channels, filters] and of the bias [filters].
 * @param x [batch, in, channels]
 * @param dy [batch, out, filters]
 */
void FilterGradient(const Convolution& shape, const float* x, const float* dy, float* filter, float* bias);

}  // namespace voxface
