import { countLandmarks, type Landmarks } from '@voxface/landmarks';

/**
 * Refuses what cannot be drawn.
 * @throws RangeError when there is no landmark or a coordinate is not finite.
 * @returns number of landmarks n.
 */
export function checkLandmarks(caller: string, shape: Landmarks): number {
  const count = countLandmarks(shape);
  if (count === 0) throw new RangeError(`${caller}: expected at least one landmark, got none`);
  const bad = shape.points.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new RangeError(
      `${caller}: coordinates must be finite, got ${shape.points[bad]} at landmark ${Math.floor(bad / shape.dims)}`,
    );
  }
  return count;
}
