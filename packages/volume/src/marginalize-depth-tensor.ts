import { reshape, sum, type Tensor3D, type Tensor4D, type Tensor5D, tidy } from '@tensorflow/tfjs-core';

/**
 * Eq. 4 on tensors: sums a batch of volumes along z. Differentiable.
 * @param volume [b, h, w, d, c].
 * @returns [b, h, w, c].
 */
export function marginalizeDepthTensor(volume: Tensor5D): Tensor4D {
  const [b, h, w, d, c] = volume.shape;
  return tidy(() => {
    const columns: Tensor3D = reshape(volume, [b * h * w, d, c]);
    return reshape(sum(columns, 1), [b, h, w, c]);
  });
}
