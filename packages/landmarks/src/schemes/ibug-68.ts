import type { LandmarkScheme } from '../scheme.ts';
import { inward, range } from '../scheme.ts';

const GROUPS = {
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
 * at the viewer's left. Mirror pairs: R51 of the anchor sheet, equal to those of the FAN and JVCR code.
 */
export const IBUG_68: LandmarkScheme = {
  name: 'ibug-68',
  count: 68,
  names: Object.entries(GROUPS).flatMap(([group, indices]) => indices.map((_, i) => `${group}-${i}`)),
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
  groups: GROUPS,
};

/** The 51 landmarks inside the face: all but the jaw line (17..67). */
export const INNER_51_OF_68: readonly number[] = range(17, 67);
