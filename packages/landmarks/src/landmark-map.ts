import { countLandmarks, type Landmarks } from './landmarks.ts';
import type { LandmarkScheme } from './scheme.ts';

/** How landmarks of one scheme give those of another: each is the mean of one or more. */
export interface LandmarkMap {
  readonly from: LandmarkScheme;
  readonly to: LandmarkScheme;
  /** For each landmark of `to` the indices in `from` whose mean it is. */
  readonly sources: readonly (readonly number[])[];
}

/**
 * Carries landmarks over to another scheme.
 * @param shape [n, D] in the scheme `map.from`.
 * @returns [m, D] in the scheme `map.to`.
 * @throws RangeError when the number of landmarks is not that of `map.from`.
 */
export function mapLandmarks<D extends 2 | 3>(shape: Landmarks<D>, map: LandmarkMap): Landmarks<D> {
  const n = countLandmarks(shape);
  if (n !== map.from.count) {
    throw new RangeError(
      `mapLandmarks: ${map.from.name} to ${map.to.name} needs ${map.from.count} landmarks, got ${n}`,
    );
  }
  const { dims } = shape;
  const points = new Float32Array(map.sources.length * dims);
  map.sources.forEach((source, i) => {
    for (let axis = 0; axis < dims; axis++) {
      let sum = 0;
      for (const index of source) sum += shape.points[index * dims + axis];
      points[i * dims + axis] = sum / source.length;
    }
  });
  return { points, dims };
}
