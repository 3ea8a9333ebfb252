import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { addAll, convolve, normalizeRectify } from './blocks.ts';

/**
 * Pre-activation bottleneck (R11): BN-ReLU-1x1 (c/2), BN-ReLU-3x3 (c/2), BN-ReLU-1x1 (c), plus the input, which
 * goes through a 1x1 convolution where the number of channels changes. [b, h, w, *] -> [b, h, w, filters].
 */
export function bottleneck(x: SymbolicTensor, name: string, filters: number): SymbolicTensor {
  const inner = filters / 2;
  let y = normalizeRectify(x, `${name}_bn1`);
  y = convolve(y, `${name}_conv1`, inner, 1);
  y = normalizeRectify(y, `${name}_bn2`);
  y = convolve(y, `${name}_conv2`, inner, 3);
  y = normalizeRectify(y, `${name}_bn3`);
  y = convolve(y, `${name}_conv3`, filters, 1);
  const skip = x.shape.at(-1) === filters ? x : convolve(x, `${name}_skip`, filters, 1);
  return addAll([skip, y], `${name}_add`);
}
