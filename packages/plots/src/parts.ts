import { countLandmarks, type LandmarkScheme, type Landmarks } from '@voxface/landmarks';

/** Parts drawn as closed curves. */
const CLOSED = /eye|lips/;

/** A straight line between two landmarks of a part. */
export type Segment = readonly [from: number, to: number];

/** The lines that connect the landmarks of each part, in index order; eyes and lips are closed. */
export function connectParts(scheme: LandmarkScheme): Segment[] {
  const segments: Segment[] = [];
  for (const [name, indices] of Object.entries(scheme.groups)) {
    for (let i = 1; i < indices.length; i++) segments.push([indices[i - 1], indices[i]]);
    if (indices.length > 3 && CLOSED.test(name)) segments.push([indices[indices.length - 1], indices[0]]);
  }
  return segments;
}

/**
 * The scheme to draw `count` landmarks with, or null when they are to be drawn as dots alone.
 * @throws RangeError when a scheme was named and its count differs.
 */
export function schemeFor(
  caller: string,
  count: number,
  scheme: LandmarkScheme | undefined,
  fallback: LandmarkScheme,
): LandmarkScheme | null {
  if (scheme === undefined) return fallback.count === count ? fallback : null;
  if (scheme.count !== count) {
    throw new RangeError(
      `${caller}: scheme ${scheme.name} has ${scheme.count} landmarks, got ${count} (pass the scheme of these landmarks)`,
    );
  }
  return scheme;
}

/**
 * Triangles [t, 3] over the 68 landmarks for the shaded surface of the 3D views: the Delaunay triangulation of
 * a neutral frontal head, eyes and mouth left open. Made by scripts/golden/plots-face.py.
 */
// biome-ignore format: a table
export const IBUG_68_TRIANGLES: readonly number[] = [
  0, 1, 36, 0, 17, 36, 1, 2, 41, 1, 36, 41, 2, 3, 31, 2, 31, 41, 3, 4, 48, 3, 31, 48, 4, 5, 48, 5, 6,
  59, 5, 48, 59, 6, 7, 59, 7, 8, 57, 7, 57, 58, 7, 58, 59, 8, 9, 57, 9, 10, 55, 9, 55, 56, 9, 56, 57, 10,
  11, 55, 11, 12, 54, 11, 54, 55, 12, 13, 54, 13, 14, 35, 13, 35, 54, 14, 15, 46, 14, 35, 46, 15, 16, 45,
  15, 45, 46, 16, 26, 45, 17, 18, 37, 17, 36, 37, 18, 19, 37, 19, 20, 38, 19, 37, 38, 20, 21, 38, 21, 22,
  27, 21, 27, 39, 21, 38, 39, 22, 23, 43, 22, 27, 42, 22, 42, 43, 23, 24, 43, 24, 25, 44, 24, 43, 44, 25,
  26, 44, 26, 44, 45, 27, 28, 39, 27, 28, 42, 28, 29, 39, 28, 29, 42, 29, 30, 40, 29, 30, 47, 29, 39, 40,
  29, 42, 47, 30, 31, 32, 30, 31, 40, 30, 32, 33, 30, 33, 34, 30, 34, 35, 30, 35, 47, 31, 32, 50, 31, 40,
  41, 31, 48, 49, 31, 49, 50, 32, 33, 50, 33, 34, 52, 33, 50, 51, 33, 51, 52, 34, 35, 52, 35, 46, 47, 35,
  52, 53, 35, 53, 54, 48, 49, 60, 48, 59, 60, 49, 50, 61, 49, 60, 67, 49, 61, 67, 50, 51, 62, 50, 61, 62,
  51, 52, 62, 52, 53, 63, 52, 62, 63, 53, 54, 64, 53, 63, 65, 53, 64, 65, 54, 55, 64, 55, 56, 65, 55, 64,
  65, 56, 57, 66, 56, 65, 66, 57, 58, 66, 58, 59, 67, 58, 66, 67, 59, 60, 67,
];

/**
 * Refuses what cannot be drawn.
 * @throws RangeError when there is no landmark or a coordinate is not finite.
 * @returns number of landmarks n.
 */
export function checkDrawable(caller: string, shape: Landmarks): number {
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
