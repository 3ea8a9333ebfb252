import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { addAll, doubleSize, halveSize } from './blocks.ts';
import { bottleneck } from './bottleneck.ts';

/**
 * One hourglass (Newell et al. 2016): `depth` halvings by max pooling, one bottleneck per position, nearest
 * up-sampling, skip connections added. Keeps the shape [b, h, w, c].
 */
export function hourglass(x: SymbolicTensor, name: string, depth: number): SymbolicTensor {
  const filters = x.shape.at(-1) as number;
  const at = `${name}_${depth}`;
  const skip = bottleneck(x, `${at}_skip`, filters);
  let low = bottleneck(halveSize(x, `${at}_pool`), `${at}_down`, filters);
  low = depth > 1 ? hourglass(low, name, depth - 1) : bottleneck(low, `${at}_bottom`, filters);
  low = bottleneck(low, `${at}_up`, filters);
  return addAll([skip, doubleSize(low, `${at}_upsample`)], `${at}_sum`);
}
