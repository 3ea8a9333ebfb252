import { countLandmarks, type Landmarks } from '@voxface/landmarks';

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
  const { dims } = target;
  const n = countLandmarks(target);
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
