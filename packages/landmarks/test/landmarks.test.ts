import { describe, expect, it } from 'vitest';
import { boxOf, centerDepth, createLandmarks, selectLandmarks, toPlane } from '../src/index.ts';

describe('createLandmarks', () => {
  it('refuses null, and what is infinite as a 32-bit float', () => {
    expect(() => createLandmarks([1, null as never], 2)).toThrow(
      /coordinates must be finite, got null at landmark 0/,
    );
    expect(() => createLandmarks([1, 2, 3, 1e39], 2)).toThrow(
      /coordinates must be finite, got 1e\+39 at landmark 1/,
    );
  });

  it('copies its input', () => {
    const source = [1, 2, 3, 4];
    const shape = createLandmarks(source, 2);
    source[0] = 9;
    expect([...shape.points]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    [[], 2, 'expected a positive multiple of 2 numbers, got 0'],
    [[1, 2, 3, 4], 3, 'expected a positive multiple of 3 numbers, got 4'],
    [[1, 2, Number.NaN, 4], 2, 'coordinates must be finite, got NaN at landmark 1'],
    [[1, Infinity], 2, 'coordinates must be finite, got Infinity at landmark 0'],
  ] as const)('refuses %j as %i-dimensional points', (points, dims, message) => {
    expect(() => createLandmarks(points, dims)).toThrow(message);
  });
});

describe('shape functions', () => {
  const shape = createLandmarks([1, 2, 30, 5, -4, 50, 3, 0, 10], 3);

  it('drop, centre and pick without touching their input', () => {
    expect([...toPlane(shape).points]).toEqual([1, 2, 5, -4, 3, 0]);
    expect([...centerDepth(shape).points]).toEqual([1, 2, 0, 5, -4, 20, 3, 0, -20]);
    expect([...selectLandmarks(shape, [2, 0]).points]).toEqual([3, 0, 10, 1, 2, 30]);
    expect(shape.points[2]).toBe(30);
  });

  it('find the tight box of x and y', () => {
    expect(boxOf(shape)).toEqual({ x: 1, y: -4, width: 4, height: 6 });
  });

  it('refuse indices outside', () => {
    expect(() => selectLandmarks(shape, [3])).toThrow('selectLandmarks: index must be in 0..2, got 3');
  });
});
