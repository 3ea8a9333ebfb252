import path from 'node:path';
import { zipSync, zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseMat } from '../src/index.ts';
import { readNpy, readNpz } from '../src/node.ts';
import { writeFolder } from './synthetic-folder.ts';

/** A `.npy` of doubles with the shape that its header claims. */
function npy(shape: string, values: readonly number[]): Uint8Array {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + '\n';
  const head = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length, 0);
  const data = new Uint8Array(Float64Array.from(values).buffer);
  return new Uint8Array(Buffer.concat([head, new TextEncoder().encode(header), data]));
}

describe('archives that hold more, or other, than they say', () => {
  it('are .npy files whose shape and data disagree', async () => {
    const root = await writeFolder({
      'good.npy': npy('1, 2', [3, 4]),
      'huge.npy': npy('1000000, 1000000', [3, 4]),
      'less.npy': npy('1,', [3, 4]),
    });
    expect([...(await readNpy(path.join(root, 'good.npy'))).data]).toEqual([3, 4]);
    await expect(readNpy(path.join(root, 'huge.npy'))).rejects.toThrow(/huge.npy/);
    await expect(readNpy(path.join(root, 'less.npy'))).rejects.toThrow(
      /shape \[1\] beside 2 numbers in .*less.npy/,
    );
  });

  it('are .npz and .mat files that unpack to more than the limit', async () => {
    const array = npy('100000,', new Array(100_000).fill(0));
    const root = await writeFolder({ 'a.npz': zipSync({ 'a.npy': array, 'b.npy': array }) });
    const file = path.join(root, 'a.npz');
    expect((await readNpz(file)).get('b')!.data).toHaveLength(100_000);
    await expect(readNpz(file, { maxBytes: 1e6 })).rejects.toThrow(
      /more than 1000000 bytes from b.npy on \(raise maxBytes if the file is trusted\) in .*a.npz/,
    );

    const packed = zlibSync(new Uint8Array(5_000_000));
    const mat = new Uint8Array(136 + packed.length);
    mat.set(new TextEncoder().encode('MATLAB 5.0 MAT-file'.padEnd(124)));
    mat.set([0x00, 0x01, 0x49, 0x4d], 124);
    new DataView(mat.buffer).setUint32(128, 15, true);
    new DataView(mat.buffer).setUint32(132, packed.length, true);
    mat.set(packed, 136);
    expect(mat.length).toBeLessThan(10_000);
    expect(() => parseMat(mat, 'bomb.mat', { maxBytes: 1e6 })).toThrow(
      /more than 1000000 unpacked bytes \(raise maxBytes if the file is trusted\) in bomb.mat/,
    );
  });
});
