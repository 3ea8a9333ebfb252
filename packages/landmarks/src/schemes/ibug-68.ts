import type { LandmarkScheme } from '../scheme.ts';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

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
    [0, 16],
    [1, 15],
    [2, 14],
    [3, 13],
    [4, 12],
    [5, 11],
    [6, 10],
    [7, 9],
    [17, 26],
    [18, 25],
    [19, 24],
    [20, 23],
    [21, 22],
    [36, 45],
    [37, 44],
    [38, 43],
    [39, 42],
    [40, 47],
    [41, 46],
    [31, 35],
    [32, 34],
    [48, 54],
    [49, 53],
    [50, 52],
    [59, 55],
    [58, 56],
    [60, 64],
    [61, 63],
    [67, 65],
  ],
  outerEyeCorners: [36, 45],
  groups: GROUPS,
};

/** The 51 landmarks inside the face: all but the jaw line (17..67). */
export const INNER_51_OF_68: readonly number[] = range(17, 67);
