import { describe, expect, it } from 'vitest';
import { boxOf, boxOverlap, MEAN_FACE_68, meanFaceInBox } from '../src/index.ts';

describe('boxOverlap', () => {
  const a = { x: 0, y: 0, width: 4, height: 3 };

  it('is intersection over union', () => {
    expect(boxOverlap(a, a)).toBe(1);
    // 2 x 2 shared of 12 + 10 - 4.
    expect(boxOverlap(a, { x: 2, y: 1, width: 5, height: 2 })).toBeCloseTo(4 / 18, 12);
    expect(boxOverlap(a, { x: 4, y: 0, width: 1, height: 1 })).toBe(0);
    expect(boxOverlap(a, { x: 9, y: 9, width: 2, height: 2 })).toBe(0);
  });

  it('is 0 for empty boxes and boxes that are no numbers', () => {
    const empty = { x: 1, y: 1, width: 0, height: 0 };
    expect([boxOverlap(empty, empty), boxOverlap(a, empty), boxOverlap(a, { ...a, x: Number.NaN })]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('meanFaceInBox', () => {
  it('has the area and centre of the box and the shape of the mean face', () => {
    const face = meanFaceInBox({ x: 30, y: -10, width: 80, height: 125 });
    const found = boxOf(face);
    expect(found.width * found.height).toBeCloseTo(10_000, 1);
    expect(found.x + found.width / 2).toBeCloseTo(70, 4);
    expect(found.y + found.height / 2).toBeCloseTo(52.5, 4);
    const mean = boxOf(MEAN_FACE_68);
    expect(found.width / found.height).toBeCloseTo(mean.width / mean.height, 6);
    const scale = found.width / mean.width;
    for (let i = 0; i < 68; i++)
      expect(face.points[3 * i + 2]).toBeCloseTo(MEAN_FACE_68.points[3 * i + 2] * scale, 3);
  });

  it('refuses a box without size', () => {
    expect(() => meanFaceInBox({ x: 0, y: 0, width: 0, height: 9 })).toThrow(
      /box with positive finite size, got/,
    );
  });
});
