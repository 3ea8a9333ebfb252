import { expect, test } from 'vitest';
import { compare } from '../src/accuracy.ts';

// Five points stand for the 51; the face is 40 by 90 pixels, so 60 by the square root of its area.
const inner = [
  [10, 20],
  [50, 20],
  [30, 60],
  [12, 110],
  [50, 108],
] as const;
const truth = { inner, box: { x: 10, y: 20, width: 40, height: 90 }, size: 60 };
const moved = (x: number, y: number) => inner.map(([a, b]) => [a + x, b + y] as const);

test('each library is measured on the faces that all of them found, with and without mean offsets', () => {
  const rows = compare(
    new Map([
      ['exact', [[inner], [inner], [inner], [inner]]],
      // Always 3 right and 4 down: 5 pixels of 60.
      ['moved', [[moved(3, 4)], [moved(900, 0), moved(3, 4)], [moved(3, 4)], []]],
      // 6 pixels to and fro: nothing that the mean of the others would take away.
      ['unsteady', [[moved(6, 0)], [moved(-6, 0)], [moved(-6, 0)], [moved(1, 1)]]],
    ]),
    [truth, truth, truth, truth],
  );
  expect(rows[0][2]).toContain('3 faces');
  expect(rows.slice(1)).toEqual([
    ['exact', '4 of 4', '0.00', '0.00'],
    ['moved', '3 of 4', '8.33', '0.00'],
    // Means of the odd faces, -6, and of the even ones, 0: offsets of 12, -6 and 0.
    ['unsteady', '4 of 4', '10.00', '10.00'],
  ]);
});
