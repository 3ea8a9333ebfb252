import { describe, expect, it } from 'vitest';
import { matVariable, parseMat } from '../src/index.ts';
import golden from './golden/mat-files.json' with { type: 'json' };

const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

describe('parseMat', () => {
  it.each(['plain', 'compressed'] as const)('reads what SciPy wrote, every numeric type, %s', (kind) => {
    const mat = parseMat(decode(golden[kind]), 'golden');
    for (const [name, { shape, columnMajor }] of Object.entries(golden.numbers)) {
      const array = matVariable(mat, name, 'golden');
      expect([name, array.shape]).toEqual([name, shape]);
      expect(Array.from(array.data)).toEqual(columnMajor);
    }
    expect(String.fromCharCode(...matVariable(mat, 'text', 'golden').data)).toBe('abc');
    expect(Object.fromEntries(mat.unsupported)).toEqual({
      cells: 'cell',
      struct: 'struct',
      complex: 'complex double',
    });
  });

  it('names the class it does not read, and a size that does not fit', () => {
    const mat = parseMat(decode(golden.plain), 'golden.mat');
    expect(() => matVariable(mat, 'struct', 'golden.mat')).toThrow(
      /struct must be a numeric array, got MATLAB class struct in golden.mat/,
    );
    expect(() => matVariable(mat, 'pt3d_68', 'golden.mat')).toThrow(
      /expected a variable pt3d_68, got double, single/,
    );
    expect(() => matVariable(mat, 'double', 'golden.mat', [3, 68])).toThrow(
      /double must be 3 x 68, got 2 x 3/,
    );
  });

  it('names an unknown class number', () => {
    const bytes = decode(golden.plain);
    bytes[128 + 8 + 8] = 99;
    const mat = parseMat(bytes, 'odd.mat');
    expect(() => matVariable(mat, 'double', 'odd.mat')).toThrow(/MATLAB class number 99 in odd.mat/);
  });

  it('refuses truncated files, level 7.3 and other files', () => {
    expect(() => parseMat(decode(golden.plain).slice(0, 300), 'short.mat')).toThrow(
      /short.mat \(truncated\?\)/,
    );
    expect(() => parseMat(decode(golden.compressed).slice(0, 160), 'short.mat')).toThrow(
      /short.mat \(truncated\?\)/,
    );
    const hdf = new TextEncoder().encode('MATLAB 7.3 MAT-file, Platform: PCWIN64'.padEnd(512));
    expect(() => parseMat(hdf, 'new.mat')).toThrow(/level 7.3 \(HDF5\) in new.mat \(save it with -v7\)/);
    expect(() => parseMat(new Uint8Array(20), 'text.mat')).toThrow(
      /got 20 bytes without its header in text.mat/,
    );
  });

  it('reads big-endian files', () => {
    const bytes = new Uint8Array(128 + 8 + 56);
    const view = new DataView(bytes.buffer);
    bytes.set([0x4d, 0x49], 126);
    const words = [14, 56, 6, 8, 6, 0, 5, 8, 1, 1, (1 << 16) | 1, 0x78000000, 9, 8];
    for (const [i, word] of words.entries()) view.setUint32(128 + 4 * i, word);
    view.setFloat64(128 + 4 * words.length, 2.5);
    expect(matVariable(parseMat(bytes, 'big'), 'x', 'big').data).toEqual(Float64Array.of(2.5));
  });
});
