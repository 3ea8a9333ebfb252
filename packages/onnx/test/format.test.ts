import { describe, expect, it } from 'vitest';
import { halfBytes } from '../src/format/encode-model.ts';
import { alignAtoms, createAxis, plainValue, reshapeValue, valueShape } from '../src/graph/value.ts';
import { transposeWeights } from '../src/layers/layer-call.ts';

const words = (values: number[]): number[] => [...new Uint16Array(halfBytes(values).buffer)];

describe('halfBytes', () => {
  it('writes IEEE 754 halves, ties to even', () => {
    expect(words([0, -0, 1, -2, 65504, 2 ** -14, 2 ** -24])).toEqual([
      0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 1,
    ]);
    expect(words([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25])).toEqual([0x3c00, 0x3c02, 0, 2]);
    expect(words([0.1, 1 - 2 ** -12, 1 / 3])).toEqual([0x2e66, 0x3c00, 0x3555]);
  });

  it('refuses what has no half', () => {
    for (const value of [65520, -1e6, Number.NaN, Infinity]) {
      expect(() => halfBytes([value])).toThrow(/half precision ends at 65504/);
    }
  });
});

describe('transposeWeights', () => {
  it('puts axis perm[i] at place i', () => {
    const { data, shape } = transposeWeights(Float32Array.of(0, 1, 2, 3, 4, 5), [1, 2, 3], [2, 0, 1]);
    expect(shape).toEqual([3, 1, 2]);
    expect([...data]).toEqual([0, 3, 1, 4, 2, 5]);
  });
});

describe('reshapeValue', () => {
  const value = plainValue('x', [[{ size: null }], createAxis(8), createAxis(6)]);

  it('splits and joins axes without touching the tensor', () => {
    const split = reshapeValue(value, [8, 2, 3])!;
    expect(valueShape(split)).toEqual([-1, 8, 2, 3]);
    expect(split.name).toBe('x');
    expect(split.dims).toHaveLength(3);
    expect(valueShape(reshapeValue(split, [16, 1, 3])!)).toEqual([-1, 16, 1, 3]);
    expect(valueShape(reshapeValue(value, [4, 12])!)).toEqual([-1, 4, 12]);
  });

  it('gives up where an axis would be cut across', () => {
    expect(reshapeValue(value, [3, 16])).toBeNull();
    expect(reshapeValue(value, [8, 5])).toBeNull();
    expect(reshapeValue(value, [8, 6, 2])).toBeNull();
  });

  it('aligns factors or says that they do not', () => {
    const other = reshapeValue(plainValue('y', [[{ size: null }], createAxis(48)]), [2, 4, 6])!;
    const joined = { ...other, axes: [other.axes[0], [...other.axes[1], ...other.axes[2]], other.axes[3]] };
    expect(alignAtoms(value, joined)!.first.axes[1].map((a) => a.size)).toEqual([2, 4]);
    const odd = plainValue('z', [[{ size: null }], [{ size: 2 }, { size: 3 }]]);
    const even = plainValue('w', [[{ size: null }], [{ size: 3 }, { size: 2 }]]);
    expect(alignAtoms(odd, even)).toBeNull();
  });
});
