import type { LandmarkMap } from '../landmark-map.ts';
import type { LandmarkScheme } from '../scheme.ts';
import { IBUG_68 } from './ibug-68.ts';
import { range } from './range.ts';

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
