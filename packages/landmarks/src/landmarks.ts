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

/** Name of a value's class, whatever realm it comes from: 'Uint8Array' for a Buffer too. */
export function typeOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * What a value is, in a few words for messages.
 * @internal
 */
export function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value !== 'object' || value === null) return String(value);
  const { length } = value as { length?: unknown };
  if (typeof length === 'number') return `${typeOf(value)} of ${length}`;
  const keys = Object.keys(value).slice(0, 5).join(', ');
  const name = value.constructor?.name ?? 'Object';
  return name === 'Object' ? `{${keys && ` ${keys} `}}` : name;
}

/**
 * The one door for shapes: a typed array of finite length that `dims` divides. Coordinates are not looked at.
 * @internal
 * @param caller name of the function, for the message; `what`: name of its parameter.
 * @throws TypeError for anything else; RangeError for a length that does not fit.
 */
export function checkLandmarks<S extends Landmarks>(shape: S, caller: string, what = 'landmarks'): S {
  const { points, dims } = (shape ?? {}) as Partial<Landmarks>;
  if ((dims !== 2 && dims !== 3) || !/^Float(32|64)Array$/.test(typeOf(points))) {
    throw new TypeError(
      `${caller}: ${what} must be landmarks { points: Float32Array, dims: 2 or 3 }, got ${describeValue(shape)} (make them with createLandmarks(numbers, dims))`,
    );
  }
  const { length } = points!;
  if (length === 0) {
    throw new RangeError(`${caller}: ${what} must hold at least one landmark, got none`);
  }
  if (length % dims !== 0) {
    throw new RangeError(
      `${caller}: ${what} must hold a multiple of ${dims} numbers, got ${length} (make them with createLandmarks(numbers, dims))`,
    );
  }
  return shape;
}

/** As `checkLandmarks`, and with depth. */
function checkDepth(shape: Landmarks<3>, caller: string): void {
  if (checkLandmarks(shape, caller).dims === 3) return;
  throw new RangeError(`${caller}: landmarks must have 3 dimensions, got ${(shape as Landmarks).dims}`);
}

/**
 * Wraps coordinates as landmarks (copies them).
 * @param points [n, dims] interleaved, any unit.
 * @throws RangeError when the length is no multiple of `dims` or a value is not finite.
 * @example
 * ```js
 * import { countLandmarks, createLandmarks } from '@voxface/landmarks';
 *
 * console.log(countLandmarks(createLandmarks([1, 2, 3, 4, 5, 6], 2))); // => 3
 * ```
 */
export function createLandmarks<D extends 2 | 3>(points: ArrayLike<number>, dims: D): Landmarks<D> {
  if (dims !== 2 && dims !== 3) {
    throw new RangeError(`createLandmarks: dims must be 2 or 3, got ${describeValue(dims)}`);
  }
  if (typeof points !== 'object' || points === null || typeof points.length !== 'number') {
    throw new TypeError(
      `createLandmarks: expected numbers [n, ${dims}] in one list, got ${describeValue(points)}`,
    );
  }
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
  const { points, dims } = checkLandmarks(shape, 'countLandmarks');
  return points.length / dims;
}

/** Drops z: the projection [.]^2D of Eq. 8. Two-dimensional input is copied. */
export function toPlane(shape: Landmarks): Landmarks<2> {
  const n = countLandmarks(checkLandmarks(shape, 'toPlane'));
  const points = new Float32Array(n * 2);
  for (let i = 0; i < n; i++) {
    points[2 * i] = shape.points[i * shape.dims];
    points[2 * i + 1] = shape.points[i * shape.dims + 1];
  }
  return { points, dims: 2 };
}

/** Shifts z so that its mean over the landmarks is zero (Sec. IV-C of the paper). */
export function centerDepth(shape: Landmarks<3>): Landmarks<3> {
  checkDepth(shape, 'centerDepth');
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
  const { dims } = checkLandmarks(shape, 'selectLandmarks');
  const n = countLandmarks(shape);
  if (typeof indices?.forEach !== 'function') {
    throw new TypeError(`selectLandmarks: indices must be a list of numbers, got ${describeValue(indices)}`);
  }
  const points = new Float32Array(indices.length * dims);
  indices.forEach((index, i) => {
    if (!(Number.isInteger(index) && index >= 0 && index < n)) {
      throw new RangeError(`selectLandmarks: index must be in 0..${n - 1}, got ${index}`);
    }
    points.set(shape.points.subarray(index * dims, (index + 1) * dims), i * dims);
  });
  return { points, dims };
}
