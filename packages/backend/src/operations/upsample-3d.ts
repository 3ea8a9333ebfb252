import { reshape, type Tensor5D, tidy, tile } from '@tensorflow/tfjs-core';

/**
 * Nearest-neighbour upsampling of the three spatial axes, [b, h, w, d, c] -> [b, h*f0, w*f1, d*f2, c], on any backend and
 * with a gradient (TensorFlow.js has no 3D upsampling, and its transposed 3D convolution has no gradient).
 *
 * @param factors whole factors per axis.
 * @throws when a factor is not a positive integer.
 */
export function upsample3d(
  volume: Tensor5D,
  factors: readonly [number, number, number] = [2, 2, 2],
): Tensor5D {
  if (!factors.every((factor) => Number.isInteger(factor) && factor >= 1)) {
    throw new Error(
      `upsample3d: factors must be positive integers, got [${factors.join(', ')}] (e.g. [2, 2, 2])`,
    );
  }
  const [b, h, w, d, c] = volume.shape;
  const [f0, f1, f2] = factors;
  return tidy(() => {
    // Each axis in turn: [outer, 1, inner] tiled along the middle repeats every slice.
    const depth = tile(reshape(volume, [b * h * w * d, 1, c]), [1, f2, 1]);
    const width = tile(reshape(depth, [b * h * w, 1, d * f2 * c]), [1, f1, 1]);
    const height = tile(reshape(width, [b * h, 1, w * f1 * d * f2 * c]), [1, f0, 1]);
    return reshape(height, [b, h * f0, w * f1, d * f2, c]) as Tensor5D;
  });
}
