import type { LandmarkMap, LandmarkScheme } from '../scheme.ts';
import { inward, range } from '../scheme.ts';
import { IBUG_68 } from './ibug-68.ts';

const GROUPS = {
  jaw: range(0, 32),
  'right-brow': range(33, 41),
  'left-brow': range(42, 50),
  'nose-bridge': range(51, 54),
  'nose-base': range(55, 59),
  'right-eye': range(60, 67),
  'left-eye': range(68, 75),
  'outer-lips': range(76, 87),
  'inner-lips': range(88, 95),
  pupils: [96, 97],
};

/** The 98 landmarks of WFLW. Left and right are the subject's own. */
export const WFLW_98: LandmarkScheme = {
  name: 'wflw-98',
  count: 98,
  names: Object.entries(GROUPS).flatMap(([group, indices]) => indices.map((_, i) => `${group}-${i}`)),
  mirrorPairs: [
    ...inward(0, 32, 16),
    ...inward(33, 46, 5),
    ...inward(38, 50, 4),
    ...inward(55, 59, 2),
    ...inward(60, 72, 5),
    ...inward(65, 75, 3),
    ...inward(76, 82, 3),
    ...inward(83, 87, 2),
    ...inward(88, 92, 2),
    [93, 95],
    [96, 97],
  ],
  outerEyeCorners: [60, 72],
  groups: GROUPS,
};

/** Every other jaw landmark, the upper edge of the brows, six of the eight landmarks of each eye, no pupils. */
export const WFLW_98_TO_IBUG_68: LandmarkMap = {
  from: WFLW_98,
  to: IBUG_68,
  sources: [
    ...range(0, 16).map((i) => 2 * i),
    ...range(33, 37),
    ...range(42, 46),
    ...range(51, 59),
    ...[60, 61, 63, 64, 65, 67],
    ...[68, 69, 71, 72, 73, 75],
    ...range(76, 95),
  ].map((i) => [i]),
};
