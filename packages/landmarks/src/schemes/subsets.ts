import { type LandmarkMap, type LandmarkScheme, range, selectScheme } from '../scheme.ts';
import { IBUG_68, INNER_51_OF_68 } from './ibug-68.ts';

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

const KEPT = range(0, 67).filter((i) => i !== 60 && i !== 64);

/** The 66 landmarks of 3DFAW: iBUG-68 without the inner mouth corners 60 and 64. */
export const THREEDFAW_66: LandmarkScheme = selectScheme(IBUG_68, KEPT, '3dfaw-66');

/** Drops the inner mouth corners. */
export const IBUG_68_TO_3DFAW_66: LandmarkMap = {
  from: IBUG_68,
  to: THREEDFAW_66,
  sources: KEPT.map((i) => [i]),
};
