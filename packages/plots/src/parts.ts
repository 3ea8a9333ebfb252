import type { LandmarkScheme } from '@voxface/landmarks';

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
