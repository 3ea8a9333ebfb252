import type { LandmarkMap, LandmarkScheme } from '../scheme.ts';
import { inward, range } from '../scheme.ts';
import { IBUG_68 } from './ibug-68.ts';

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
