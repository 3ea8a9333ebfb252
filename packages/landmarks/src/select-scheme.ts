import type { LandmarkScheme } from './scheme.ts';

/**
 * The scheme of some landmarks of another one, in the order of `indices`; mirror pairs and groups keep what is left.
 * @throws RangeError when an outer eye corner or one half of a mirror pair is left out.
 */
export function selectScheme(
  scheme: LandmarkScheme,
  indices: readonly number[],
  name: string,
): LandmarkScheme {
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
