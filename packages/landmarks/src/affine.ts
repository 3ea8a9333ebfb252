import { checkLandmarks, countLandmarks, describeValue, type Landmarks } from './landmarks.ts';

/**
 * 2D affine map, column order of the DOM's matrices: x' = a x + c y + tx, y' = b x + d y + ty.
 * Depth is scaled uniformly by sqrt(|a d - b c|).
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, tx: number, ty: number];

/** The map that leaves everything where it is. */
export const IDENTITY_AFFINE: Affine = [1, 0, 0, 1, 0, 0];

/** `composeAffine(second, first)` applies `first`, then `second`. */
export function composeAffine(second: Affine, first: Affine): Affine {
  const [a, b, c, d, tx, ty] = checkAffine(second, 'composeAffine');
  const [e, f, g, h, ux, uy] = checkAffine(first, 'composeAffine');
  return [
    a * e + c * f,
    b * e + d * f,
    a * g + c * h,
    b * g + d * h,
    a * ux + c * uy + tx,
    b * ux + d * uy + ty,
  ];
}

/**
 * The inverse map.
 * @throws RangeError when the map is singular.
 */
export function invertAffine(affine: Affine): Affine {
  const [a, b, c, d, tx, ty] = checkAffine(affine, 'invertAffine');
  const det = a * d - b * c;
  if (!Number.isFinite(1 / det)) {
    throw new RangeError(`invertAffine: the map must be invertible, got determinant ${det}`);
  }
  return [d / det, -b / det, -c / det, a / det, (c * ty - d * tx) / det, (b * tx - a * ty) / det];
}

/** Uniform scale of the map: sqrt(|determinant|). */
export function affineScale(affine: Affine): number {
  checkAffine(affine, 'affineScale');
  return Math.sqrt(Math.abs(affine[0] * affine[3] - affine[1] * affine[2]));
}

/** Maps x and y; scales z by `affineScale`. */
export function transformLandmarks<D extends 2 | 3>(shape: Landmarks<D>, affine: Affine): Landmarks<D> {
  const [a, b, c, d, tx, ty] = checkAffine(affine, 'transformLandmarks');
  const { dims } = checkLandmarks(shape, 'transformLandmarks');
  const n = countLandmarks(shape);
  const scale = affineScale(affine);
  const points = new Float32Array(shape.points.length);
  for (let i = 0; i < n; i++) {
    const x = shape.points[i * dims];
    const y = shape.points[i * dims + 1];
    points[i * dims] = a * x + c * y + tx;
    points[i * dims + 1] = b * x + d * y + ty;
    if (dims === 3) points[i * 3 + 2] = shape.points[i * 3 + 2] * scale;
  }
  return { points, dims };
}

function checkAffine(affine: Affine, caller: string): Affine {
  if (affine?.length !== 6) {
    throw new TypeError(
      `${caller}: the map must be six numbers [a, b, c, d, tx, ty], got ${describeValue(affine)}`,
    );
  }
  return affine;
}
