import type { LandmarkMap } from '../landmark-map.ts';
import type { LandmarkScheme } from '../scheme.ts';
import { selectScheme } from '../select-scheme.ts';
import { IBUG_68 } from './ibug-68.ts';
import { range } from './range.ts';

const KEPT = range(0, 67).filter((i) => i !== 60 && i !== 64);

/** The 66 landmarks of 3DFAW: iBUG-68 without the inner mouth corners 60 and 64. */
export const THREEDFAW_66: LandmarkScheme = selectScheme(IBUG_68, KEPT, '3dfaw-66');

/** Drops the inner mouth corners. */
export const IBUG_68_TO_3DFAW_66: LandmarkMap = {
  from: IBUG_68,
  to: THREEDFAW_66,
  sources: KEPT.map((i) => [i]),
};
