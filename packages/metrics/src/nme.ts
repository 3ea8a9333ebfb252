import type { Landmarks } from '@voxface/landmarks';
import type { Normalizer } from './normalizers.ts';
import { type DepthAlignment, pointErrors } from './point-errors.ts';

export interface NmeOptions {
  /** Size that errors are divided by. There is no default: an NME without a normalizer's name means nothing. */
  normalizer: Normalizer;
  /** Shift of the prediction's depth, `none` unless given. */
  alignDepth?: DepthAlignment;
  /** [n] 1 = counted; absent: all. */
  visible?: ArrayLike<number>;
  /** Indices of the landmarks that are scored; absent: all. The normalizer still measures the whole face. */
  subset?: readonly number[];
  /** Shape that the normalizer measures instead of `target`, such as the 68 landmarks behind 21 scored ones. */
  reference?: Landmarks;
}

/**
 * Normalized mean error of one face: mean distance of its landmarks over the size of the ground truth.
 * @param preds [n, D].
 * @param target [n, D].
 * @returns a fraction (0.03 = 3 %).
 * @throws RangeError for shapes of different size, coordinates that are not finite, a size of zero, or no landmark left.
 */
export function nme(preds: Landmarks, target: Landmarks, options: NmeOptions): number {
  const { normalizer, alignDepth, visible, subset, reference = target } = options;
  const errors = pointErrors(preds, target, alignDepth);
  if (visible && visible.length !== errors.length) {
    throw new RangeError(
      `nme: expected ${errors.length} visibility flags, got ${visible.length} (one per landmark)`,
    );
  }
  const size = normalizer(reference);
  if (!(size > 0 && Number.isFinite(size))) {
    throw new RangeError(
      `nme: the normalizer must be positive and finite, got ${size} (is the ground truth degenerate?)`,
    );
  }
  let sum = 0;
  let count = 0;
  const add = (i: number): void => {
    if (!(i >= 0 && i < errors.length)) {
      throw new RangeError(`nme: subset indices must be in 0..${errors.length - 1}, got ${i}`);
    }
    if (visible && !visible[i]) return;
    sum += errors[i];
    count++;
  };
  if (subset) subset.forEach(add);
  else for (let i = 0; i < errors.length; i++) add(i);
  if (count === 0) throw new RangeError('nme: at least one landmark must be counted, got none visible');
  return sum / count / size;
}
