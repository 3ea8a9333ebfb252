import { checkLandmarks, countLandmarks, type Landmarks } from './landmarks.ts';
import { checkScheme, type LandmarkScheme } from './scheme.ts';

/**
 * Mirrors a face: x becomes `extent - x` and mirror pairs change places, so that landmark i keeps its meaning.
 * @param extent 1 in crop unit space; image width - 1 in pixels (pixel-centre origin).
 * @throws RangeError when the number of landmarks is not the scheme's.
 * @example
 * ```js
 * import { flipLandmarks, IBUG_68, MEAN_FACE_68 } from '@voxface/landmarks';
 *
 * const mirrored = flipLandmarks(MEAN_FACE_68, IBUG_68, 1); // in a picture 1 wide, such as crop unit space
 * console.log(mirrored.points.length); // => 204
 * ```
 */
export function flipLandmarks<D extends 2 | 3>(
  shape: Landmarks<D>,
  scheme: LandmarkScheme,
  extent: number,
): Landmarks<D> {
  checkScheme(scheme, 'flipLandmarks');
  const n = countLandmarks(checkLandmarks(shape, 'flipLandmarks'));
  if (!Number.isFinite(extent)) {
    throw new RangeError(
      `flipLandmarks: extent must be finite, got ${extent} (1 in crop unit space, width - 1 in pixels)`,
    );
  }
  if (n !== scheme.count) {
    throw new RangeError(
      `flipLandmarks: ${scheme.name} has ${scheme.count} landmarks, got ${n} (pass the scheme of these landmarks)`,
    );
  }
  const { dims } = shape;
  const source = mirrorIndices(scheme);
  const points = new Float32Array(shape.points.length);
  for (let i = 0; i < n; i++) {
    const from = source[i] * dims;
    points[i * dims] = extent - shape.points[from];
    points[i * dims + 1] = shape.points[from + 1];
    if (dims === 3) points[i * 3 + 2] = shape.points[from + 2];
  }
  return { points, dims };
}

/** For each landmark the index of its mirror partner (itself on the midline). */
export function mirrorIndices(scheme: LandmarkScheme): number[] {
  checkScheme(scheme, 'mirrorIndices');
  const indices = Array.from({ length: scheme.count }, (_, i) => i);
  for (const [a, b] of scheme.mirrorPairs) {
    indices[a] = b;
    indices[b] = a;
  }
  return indices;
}
