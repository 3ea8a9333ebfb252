import { describe, expect, it } from 'vitest';
import { compactColors, mixColors, perLandmarkColors, randomColors, sortedColors } from '../src/index.ts';

const rows = (colors: Float32Array): string[] =>
  Array.from({ length: colors.length / 3 }, (_, i) => colors.slice(3 * i, 3 * i + 3).join());

describe('colours', () => {
  it('sorted: one channel of each landmark is 1, a third is 0, the energy is 4/3', () => {
    const colors = sortedColors(68);
    for (let i = 0; i < 68; i++) expect(Math.max(...colors.subarray(3 * i, 3 * i + 3))).toBe(1);
    expect(colors.filter((value) => value === 0)).toHaveLength(69);
    expect(colors.reduce((sum, value) => sum + value * value, 0) / 68).toBeCloseTo(4 / 3, 2);
    expect(new Set(rows(colors)).size).toBe(68);
    expect([...sortedColors(3)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('random: the same colours in another order, fixed by the seed', () => {
    const sorted = rows(sortedColors(68));
    const random = rows(randomColors(68, 3));
    expect(random).not.toEqual(sorted);
    expect([...random].sort()).toEqual([...sorted].sort());
    expect(rows(randomColors(68, 3))).toEqual(random);
    expect(rows(randomColors(68, 4))).not.toEqual(random);
  });

  it('mixed: each channel by its share', () => {
    expect(mixColors([0, 0.5, 1], [1, 0, 0], 0.25)).toEqual([0.25, 0.375, 0.75]);
  });

  it('compact and per landmark', () => {
    expect([...compactColors(3)]).toEqual([1, 1, 1]);
    expect([...perLandmarkColors(3)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});
