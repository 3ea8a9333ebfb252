import { boxOf, countLandmarks, IBUG_68, type LandmarkScheme, type Landmarks } from '@voxface/landmarks';

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
