import {
  applySimilarity,
  checkLandmarks,
  fitSimilarity,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
} from '@voxface/landmarks';
import type { DepthAlignment } from './nme.ts';
import { interocular, nme } from './nme.ts';

export interface GteOptions {
  /** Scheme of the landmarks, for its outer eye corners. */
  scheme?: LandmarkScheme;
  /** Shift of the prediction's depth. */
  alignDepth?: DepthAlignment;
}

/** iBUG-68; depth aligned by its mean as in the JVCR code, since the mean depth of a ground truth is arbitrary. */
export const GTE_DEFAULTS: Required<GteOptions> = { scheme: IBUG_68, alignDepth: 'mean' };

/**
 * Ground truth error, Eq. 15: mean distance over the distance of the outer eye corners in space.
 * @param preds [n, 3].
 * @param target [n, 3].
 * @returns a fraction.
 * @throws RangeError as `nme`.
 */
export function gte(preds: Landmarks<3>, target: Landmarks<3>, options: GteOptions = {}): number {
  checkLandmarks(preds, 'gte', 'preds');
  checkLandmarks(target, 'gte', 'target');
  const scheme = options.scheme ?? GTE_DEFAULTS.scheme;
  const alignDepth = options.alignDepth ?? GTE_DEFAULTS.alignDepth;
  return nme(preds, target, { normalizer: interocular(scheme, 3), alignDepth });
}

/**
 * Cross view ground truth consistency error, Eq. 16 and Eq. 17: the error that is left after the similarity (scale,
 * rotation, translation, no reflection) that maps the prediction onto `target` with the least sum of squares. Eq. 17
 * writes unsquared norms; the field solves it as least squares, and so does this.
 * @param preds [n, 3].
 * @param target [n, 3] ground truth, of the same or of another view.
 * @returns a fraction.
 * @throws RangeError as `nme` and `fitSimilarity`.
 */
export function cvgtce(
  preds: Landmarks<3>,
  target: Landmarks<3>,
  options: Pick<GteOptions, 'scheme'> = {},
): number {
  checkLandmarks(preds, 'cvgtce', 'preds');
  checkLandmarks(target, 'cvgtce', 'target');
  const aligned = applySimilarity(preds, fitSimilarity(preds, target));
  return gte(aligned, target, { ...options, alignDepth: 'none' });
}
