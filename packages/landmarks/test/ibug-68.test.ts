import { expect, it } from 'vitest';
import { IBUG_68 } from '../src/index.ts';

it('has the 29 mirror pairs of the FAN and JVCR code', () => {
  const sorted = (pairs: readonly (readonly [number, number])[]): string[] =>
    pairs.map((pair) => [...pair].sort((a, b) => a - b).join('-')).sort();
  // biome-ignore format: the published table
  const published: [number, number][] = [
    [0, 16], [1, 15], [2, 14], [3, 13], [4, 12], [5, 11], [6, 10], [7, 9],
    [17, 26], [18, 25], [19, 24], [20, 23], [21, 22],
    [36, 45], [37, 44], [38, 43], [39, 42], [40, 47], [41, 46], [31, 35], [32, 34],
    [48, 54], [49, 53], [50, 52], [59, 55], [58, 56], [60, 64], [61, 63], [67, 65],
  ];
  expect(sorted(IBUG_68.mirrorPairs)).toEqual(sorted(published));
});
