import type { LandmarkMap } from '../landmark-map.ts';
import type { LandmarkScheme } from '../scheme.ts';
import { selectScheme } from '../select-scheme.ts';
import { IBUG_68, INNER_51_OF_68 } from './ibug-68.ts';

/** The 51 landmarks inside the face: iBUG-68 without the jaw line. */
export const INNER_51: LandmarkScheme = selectScheme(IBUG_68, INNER_51_OF_68, 'inner-51');

/** Drops the jaw line. */
export const IBUG_68_TO_INNER_51: LandmarkMap = {
  from: IBUG_68,
  to: INNER_51,
  sources: INNER_51_OF_68.map((i) => [i]),
};
