import {
  applySimilarity,
  boxOf,
  checkLandmarks,
  countLandmarks,
  describeValue,
  fitSimilarity,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
} from '@voxface/landmarks';

export interface NmeOptions {
  /** Size that errors are divided by. There is no default: an NME without a normalizer's name means nothing. */
  normalizer: Normalizer;
  /** Shift of the prediction's depth. @default 'none' */
  alignDepth?: DepthAlignment;
  /** [n] 1 = counted. @default all */
  visible?: ArrayLike<number>;
  /** Indices of the landmarks that are scored; the normalizer still measures the whole face. @default all */
  subset?: readonly number[];
  /**
   * Shape that the normalizer measures instead of `target`, such as the 68 landmarks behind 21 scored ones.
   * @default `target` itself
   */
  reference?: Landmarks;
}

/**
 * Normalized mean error of one face: mean distance of its landmarks over the size of the ground truth.
 * @param preds [n, D].
 * @param target [n, D].
 * @returns a fraction (0.03 = 3 %).
 * @throws RangeError for shapes of different size, coordinates that are not finite, a size of zero, or no landmark left.
 * @example
 * ```js
 * import { createLandmarks } from '@voxface/landmarks';
 * import { fixedNormalizer, nme } from '@voxface/metrics';
 *
 * const target = createLandmarks([0, 0, 10, 0], 2);
 * const preds = createLandmarks([0, 1, 10, 1], 2);
 * console.log(nme(preds, target, { normalizer: fixedNormalizer(20) })); // => 0.05
 * ```
 */
export function nme(preds: Landmarks, target: Landmarks, options: NmeOptions): number {
  checkPair('nme', preds, target);
  if (typeof options?.normalizer !== 'function') {
    throw new TypeError(
      `nme: expected a normalizer such as boxSize, got ${describeValue(options?.normalizer)}`,
    );
  }
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

/** Size of a ground-truth face in the unit of its landmarks: what point errors are divided by. */
export type Normalizer = (target: Landmarks) => number;

/** sqrt(width x height) of the tight 2D box, the paper's choice (Sec. IV-D); z is not looked at. */
export const boxSize: Normalizer = (target) => {
  const box = boxOf(target);
  return Math.sqrt(box.width * box.height);
};

/** Diagonal of the tight 2D box. */
export const boxDiagonal: Normalizer = (target) => {
  const box = boxOf(target);
  return Math.hypot(box.width, box.height);
};

/**
 * Distance of the outer eye corners. In the plane it shrinks to nothing on profiles; in space it does not.
 * @param dims 2: x and y only; 3: x, y and z (needs 3D landmarks).
 */
export function interocular(scheme: LandmarkScheme = IBUG_68, dims: 2 | 3 = 2): Normalizer {
  const [left, right] = scheme.outerEyeCorners;
  return (target) => distanceOfMeans('interocular', target, scheme, [left], [right], dims);
}

/**
 * Distance of the pupils, each the mean of its eye's landmarks.
 * @throws RangeError when the scheme has no groups `right-eye` and `left-eye`.
 */
export function interPupil(scheme: LandmarkScheme = IBUG_68, dims: 2 | 3 = 2): Normalizer {
  const right = scheme.groups['right-eye'];
  const left = scheme.groups['left-eye'];
  if (!right || !left) {
    throw new RangeError(
      `interPupil: the scheme must have the groups right-eye and left-eye, got ${scheme.name} (use interocular)`,
    );
  }
  return (target) => distanceOfMeans('interPupil', target, scheme, right, left, dims);
}

/** The same size for every face, such as 1 for errors in pixels. */
export function fixedNormalizer(size: number): Normalizer {
  return () => size;
}

function distanceOfMeans(
  caller: string,
  target: Landmarks,
  scheme: LandmarkScheme,
  first: readonly number[],
  second: readonly number[],
  dims: 2 | 3,
): number {
  if (countLandmarks(target) !== scheme.count || target.dims < dims) {
    throw new RangeError(
      `${caller}: expected ${scheme.name} landmarks [${scheme.count}, ${dims}], got [${countLandmarks(target)}, ${target.dims}]`,
    );
  }
  let sum = 0;
  for (let axis = 0; axis < dims; axis++) {
    let difference = 0;
    for (const i of first) difference += target.points[i * target.dims + axis] / first.length;
    for (const i of second) difference -= target.points[i * target.dims + axis] / second.length;
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * How the depth of a prediction is shifted before it is compared: not at all, so that both mean depths agree
 * (JVCR, SADRNet, DSFNet), or so that both least depths agree (2DASL).
 */
export type DepthAlignment = 'none' | 'mean' | 'min';

/**
 * Euclidean distance of each landmark from its ground truth, in the unit of the landmarks.
 * @param preds [n, D].
 * @param target [n, D].
 * @param alignDepth applies to D = 3 and shifts `preds` along z by one number for the whole face.
 * @returns [n].
 * @throws RangeError when the shapes differ in size or a coordinate is not finite.
 */
export function pointErrors(
  preds: Landmarks,
  target: Landmarks,
  alignDepth: DepthAlignment = 'none',
): Float64Array {
  const { dims } = checkLandmarks(target, 'pointErrors', 'target');
  const n = countLandmarks(target);
  checkLandmarks(preds, 'pointErrors', 'preds');
  if (preds.dims !== dims) {
    throw new RangeError(
      `pointErrors: expected preds of ${dims} dimensions like target, got ${preds.dims} (use toPlane)`,
    );
  }
  if (countLandmarks(preds) !== n) {
    throw new RangeError(
      `pointErrors: expected ${n} preds like target, got ${countLandmarks(preds)} (map or select landmarks first)`,
    );
  }
  const shift = dims === 3 ? depthOf(target, alignDepth) - depthOf(preds, alignDepth) : 0;
  const errors = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let axis = 0; axis < dims; axis++) {
      const difference =
        preds.points[i * dims + axis] - target.points[i * dims + axis] + (axis === 2 ? shift : 0);
      sum += difference * difference;
    }
    errors[i] = Math.sqrt(sum);
    if (!Number.isFinite(errors[i])) {
      throw new RangeError(
        `pointErrors: coordinates must be finite, got an error of ${errors[i]} at landmark ${i} (mask it with visible)`,
      );
    }
  }
  return errors;
}

function depthOf(shape: Landmarks, alignDepth: DepthAlignment): number {
  if (alignDepth === 'none') return 0;
  const n = countLandmarks(shape);
  let mean = 0;
  let least = Infinity;
  for (let i = 0; i < n; i++) {
    mean += shape.points[i * 3 + 2] / n;
    least = Math.min(least, shape.points[i * 3 + 2]);
  }
  return alignDepth === 'mean' ? mean : least;
}

export interface GteOptions {
  /** Scheme of the landmarks, for its outer eye corners. @default IBUG_68 */
  scheme?: LandmarkScheme;
  /** Shift of the prediction's depth. @default 'mean' */
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
 * @example
 * ```js
 * import { createLandmarks, MEAN_FACE_68 } from '@voxface/landmarks';
 * import { gte } from '@voxface/metrics';
 *
 * const preds = createLandmarks(MEAN_FACE_68.points.map((value) => 1.1 * value), 3);
 * console.log(gte(preds, MEAN_FACE_68) > 0); // => true
 * ```
 */
export function gte(preds: Landmarks<3>, target: Landmarks<3>, options: GteOptions = {}): number {
  checkPair('gte', preds, target);
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
  checkPair('cvgtce', preds, target);
  const aligned = applySimilarity(preds, fitSimilarity(preds, target));
  return gte(aligned, target, { ...options, alignDepth: 'none' });
}

function checkPair(caller: string, preds: Landmarks, target: Landmarks): void {
  checkLandmarks(preds, caller, 'preds');
  checkLandmarks(target, caller, 'target');
}
