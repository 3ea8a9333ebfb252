import { checkLandmarks, countLandmarks, describeValue, type Landmarks } from './landmarks.ts';

/** An annotation scheme as data: what each landmark is, and how landmarks relate. Indices are 0-based. */
export interface LandmarkScheme {
  /** Short identifier, such as `ibug-68`. */
  readonly name: string;
  /** Number of landmarks n. */
  readonly count: number;
  /** One name per landmark, in index order. */
  readonly names: readonly string[];
  /** Pairs that change places when the face is mirrored; landmarks in no pair lie on the face's midline. */
  readonly mirrorPairs: readonly (readonly [number, number])[];
  /** Indices of the outer eye corners [viewer's left, viewer's right]. */
  readonly outerEyeCorners: readonly [number, number];
  /** Index lists by facial part, in drawing order. */
  readonly groups: Readonly<Record<string, readonly number[]>>;
}

/**
 * The scheme of some landmarks of another one, in the order of `indices`; mirror pairs and groups keep what is left.
 * @throws RangeError when an outer eye corner or one half of a mirror pair is left out.
 */
export function selectScheme(
  scheme: LandmarkScheme,
  indices: readonly number[],
  name: string,
): LandmarkScheme {
  checkScheme(scheme, 'selectScheme');
  if (typeof indices?.map !== 'function') {
    throw new TypeError(`selectScheme: indices must be a list of numbers, got ${describeValue(indices)}`);
  }
  const place = new Map(indices.map((index, i) => [index, i]));
  const pairs = scheme.mirrorPairs.filter(([a, b]) => place.has(a) || place.has(b));
  const find = (index: number): number => {
    const found = place.get(index);
    if (found === undefined) {
      throw new RangeError(
        `selectScheme: ${name} must keep both sides of the face and the outer eye corners, got no landmark ${index} of ${scheme.name}`,
      );
    }
    return found;
  };
  const groups = Object.entries(scheme.groups)
    .map(([group, members]) => [group, members.filter((i) => place.has(i)).map(find)] as const)
    .filter(([, members]) => members.length > 0);
  return {
    name,
    count: indices.length,
    names: indices.map((i) => scheme.names[i]),
    mirrorPairs: pairs.map(([a, b]) => [find(a), find(b)]),
    outerEyeCorners: [find(scheme.outerEyeCorners[0]), find(scheme.outerEyeCorners[1])],
    groups: Object.fromEntries(groups),
  };
}

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
  const n = countLandmarks(checkLandmarks(shape, 'mapLandmarks'));
  if (map?.sources === undefined) {
    throw new TypeError(`mapLandmarks: expected a map such as IBUG_68_TO_AFLW_21, got ${describeValue(map)}`);
  }
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

/**
 * The one door for schemes.
 * @throws TypeError for anything else, such as a scheme's name.
 */
export function checkScheme(scheme: LandmarkScheme, caller: string): LandmarkScheme {
  if (!Array.isArray(scheme?.mirrorPairs)) {
    throw new TypeError(
      `${caller}: expected a scheme such as IBUG_68, got ${describeValue(scheme)} (findScheme(name) gives it)`,
    );
  }
  return scheme;
}

/** The integers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Mirror pairs: `first` and `last` change places, then the next ones inward, `count` pairs in all. */
export function inward(first: number, last: number, count: number): [number, number][] {
  return range(0, count - 1).map((i) => [first + i, last - i]);
}
