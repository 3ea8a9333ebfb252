/**
 * The shape type of the whole library. n landmarks, D coordinates each.
 * Pixels: x right, y down, origin at the centre of the top-left pixel. Depth: same unit as x and y, +z away
 * from the camera, zero mean over the landmarks wherever a function says so.
 */
export interface Landmarks<D extends 2 | 3 = 2 | 3> {
  /** Interleaved coordinates [n, D]: x0, y0, (z0), x1, ... */
  readonly points: Float32Array;
  /** Coordinates per landmark. */
  readonly dims: D;
}

/**
 * Wraps coordinates as landmarks (copies them).
 * @param points [n, dims] interleaved, any unit.
 * @throws RangeError when the length is no multiple of `dims` or a value is not finite.
 */
export function createLandmarks<D extends 2 | 3>(points: ArrayLike<number>, dims: D): Landmarks<D> {
  if (points.length === 0 || points.length % dims !== 0) {
    throw new RangeError(
      `createLandmarks: expected a positive multiple of ${dims} numbers, got ${points.length} (pass [n, ${dims}] interleaved)`,
    );
  }
  for (let i = 0; i < points.length; i++) {
    if (!(Number.isFinite(points[i]) && Number.isFinite(Math.fround(points[i])))) {
      throw new RangeError(
        `createLandmarks: coordinates must be finite, got ${points[i]} at landmark ${Math.floor(i / dims)} (mask invisible landmarks instead)`,
      );
    }
  }
  return { points: Float32Array.from(points), dims };
}

/** Number of landmarks n. */
export function countLandmarks(shape: Landmarks): number {
  return shape.points.length / shape.dims;
}

/** Drops z: the projection [.]^2D of Eq. 8. Two-dimensional input is copied. */
export function toPlane(shape: Landmarks): Landmarks<2> {
  const n = countLandmarks(shape);
  const points = new Float32Array(n * 2);
  for (let i = 0; i < n; i++) {
    points[2 * i] = shape.points[i * shape.dims];
    points[2 * i + 1] = shape.points[i * shape.dims + 1];
  }
  return { points, dims: 2 };
}

/** Shifts z so that its mean over the landmarks is zero (Sec. IV-C of the paper). */
export function centerDepth(shape: Landmarks<3>): Landmarks<3> {
  const points = Float32Array.from(shape.points);
  const n = points.length / 3;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += points[3 * i + 2] / n;
  for (let i = 0; i < n; i++) points[3 * i + 2] -= mean;
  return { points, dims: 3 };
}

/**
 * Picks landmarks by index, in the order given.
 * @throws RangeError when an index is outside 0..n-1.
 */
export function selectLandmarks<D extends 2 | 3>(
  shape: Landmarks<D>,
  indices: readonly number[],
): Landmarks<D> {
  const { dims } = shape;
  const n = countLandmarks(shape);
  const points = new Float32Array(indices.length * dims);
  indices.forEach((index, i) => {
    if (!(index >= 0 && index < n)) {
      throw new RangeError(`selectLandmarks: index must be in 0..${n - 1}, got ${index}`);
    }
    points.set(shape.points.subarray(index * dims, (index + 1) * dims), i * dims);
  });
  return { points, dims };
}
