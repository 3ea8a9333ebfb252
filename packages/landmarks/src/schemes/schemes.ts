import type { LandmarkScheme } from '../scheme.ts';
import { AFLW_21 } from './aflw-21.ts';
import { IBUG_68 } from './ibug-68.ts';
import { FIVE_POINTS, INNER_51, THREEDFAW_66 } from './subsets.ts';
import { WFLW_98 } from './wflw-98.ts';

/** All schemes by name. */
export const SCHEMES: Readonly<Record<string, LandmarkScheme>> = Object.fromEntries(
  [IBUG_68, THREEDFAW_66, INNER_51, AFLW_21, FIVE_POINTS, WFLW_98].map((scheme) => [scheme.name, scheme]),
);

/**
 * The scheme of a name, such as one read from a file.
 * @throws RangeError listing the known names.
 */
export function findScheme(name: string): LandmarkScheme {
  const scheme = Object.hasOwn(SCHEMES, name) ? SCHEMES[name] : undefined;
  if (!scheme) {
    throw new RangeError(
      `findScheme: the scheme must be one of ${Object.keys(SCHEMES).join(', ')}, got ${name}`,
    );
  }
  return scheme;
}
