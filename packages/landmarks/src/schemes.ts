import type { LandmarkMap, LandmarkScheme } from './scheme.ts';
import { inward, range, selectScheme } from './scheme.ts';

const IBUG_GROUPS = {
  jaw: range(0, 16),
  'right-brow': range(17, 21),
  'left-brow': range(22, 26),
  'nose-bridge': range(27, 30),
  'nose-base': range(31, 35),
  'right-eye': range(36, 41),
  'left-eye': range(42, 47),
  'outer-lips': range(48, 59),
  'inner-lips': range(60, 67),
};

/**
 * The 68 landmarks of iBUG (300W, 300W-LP, AFLW2000-3D). Left and right are the subject's own; landmark 0 is
 * at the viewer's left. Mirror pairs: equal to those of the FAN and JVCR code.
 */
export const IBUG_68: LandmarkScheme = {
  name: 'ibug-68',
  count: 68,
  names: Object.entries(IBUG_GROUPS).flatMap(([group, indices]) => indices.map((_, i) => `${group}-${i}`)),
  mirrorPairs: [
    ...inward(0, 16, 8),
    ...inward(17, 26, 5),
    ...inward(36, 45, 4),
    ...inward(40, 47, 2),
    ...inward(31, 35, 2),
    ...inward(48, 54, 3),
    ...inward(55, 59, 2),
    ...inward(60, 64, 2),
    [65, 67],
  ],
  outerEyeCorners: [36, 45],
  groups: IBUG_GROUPS,
};

/** The 51 landmarks inside the face: all but the jaw line (17..67). */
export const INNER_51_OF_68: readonly number[] = range(17, 67);

/** The 51 landmarks inside the face: iBUG-68 without the jaw line. */
export const INNER_51: LandmarkScheme = selectScheme(IBUG_68, INNER_51_OF_68, 'inner-51');

/** Drops the jaw line. */
export const IBUG_68_TO_INNER_51: LandmarkMap = {
  from: IBUG_68,
  to: INNER_51,
  sources: INNER_51_OF_68.map((i) => [i]),
};

/**
 * Eye centres, nose tip and mouth corners (Table VI). Five points have no eye corners: `outerEyeCorners` are the eye
 * centres.
 */
export const FIVE_POINTS: LandmarkScheme = {
  name: 'five-points',
  count: 5,
  names: ['right-eye-center', 'left-eye-center', 'nose-tip', 'right-mouth-corner', 'left-mouth-corner'],
  mirrorPairs: [
    [0, 1],
    [3, 4],
  ],
  outerEyeCorners: [0, 1],
  groups: { 'right-eye': [0], 'left-eye': [1], 'nose-base': [2], 'outer-lips': [3, 4] },
};

/** Each eye is the mean of its six landmarks. */
export const IBUG_68_TO_FIVE_POINTS: LandmarkMap = {
  from: IBUG_68,
  to: FIVE_POINTS,
  sources: [range(36, 41), range(42, 47), [30], [48], [54]],
};

const KEPT_3DFAW = range(0, 67).filter((i) => i !== 60 && i !== 64);

/** The 66 landmarks of 3DFAW: iBUG-68 without the inner mouth corners 60 and 64. */
export const THREEDFAW_66: LandmarkScheme = selectScheme(IBUG_68, KEPT_3DFAW, '3dfaw-66');

/** Drops the inner mouth corners. */
export const IBUG_68_TO_3DFAW_66: LandmarkMap = {
  from: IBUG_68,
  to: THREEDFAW_66,
  sources: KEPT_3DFAW.map((i) => [i]),
};

/**
 * The 21 landmarks of AFLW. Left and right are the subject's own here; AFLW names its points from the viewer's side
 * (its LeftBrow is `right-brow` here).
 */
export const AFLW_21: LandmarkScheme = {
  name: 'aflw-21',
  count: 21,
  names: [
    'right-brow-outer',
    'right-brow-center',
    'right-brow-inner',
    'left-brow-inner',
    'left-brow-center',
    'left-brow-outer',
    'right-eye-outer',
    'right-eye-center',
    'right-eye-inner',
    'left-eye-inner',
    'left-eye-center',
    'left-eye-outer',
    'right-ear',
    'nose-right',
    'nose-center',
    'nose-left',
    'left-ear',
    'mouth-right',
    'mouth-center',
    'mouth-left',
    'chin',
  ],
  mirrorPairs: [...inward(0, 5, 3), ...inward(6, 11, 3), [12, 16], [13, 15], [17, 19]],
  outerEyeCorners: [6, 11],
  groups: {
    'right-brow': [0, 1, 2],
    'left-brow': [3, 4, 5],
    'right-eye': [6, 7, 8],
    'left-eye': [9, 10, 11],
    ears: [12, 16],
    'nose-base': [13, 14, 15],
    'outer-lips': [17, 18, 19],
    chin: [20],
  },
};

/** The map of 3DDFA's `benchmark_aflw.py`: eye and mouth centres are means, jaw points 2 and 14 stand for the ears. */
export const IBUG_68_TO_AFLW_21: LandmarkMap = {
  from: IBUG_68,
  to: AFLW_21,
  sources: [
    ...[17, 19, 21, 22, 24, 26],
    ...[36, range(36, 41), 39, 42, range(42, 47), 45],
    ...[2, 31, 30, 35, 14],
    ...[48, range(60, 67), 54, 8],
  ].map((source) => [source].flat()),
};

const WFLW_GROUPS = {
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
  names: Object.entries(WFLW_GROUPS).flatMap(([group, indices]) => indices.map((_, i) => `${group}-${i}`)),
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
  groups: WFLW_GROUPS,
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
