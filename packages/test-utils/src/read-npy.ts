import { readFileSync } from 'node:fs';

/** An array of NumPy: row-major values and shape. */
export interface NpyArray {
  readonly data: Float32Array | Float64Array | Int32Array;
  readonly shape: readonly number[];
}

const ARRAYS = { '<f4': Float32Array, '<f8': Float64Array, '<i4': Int32Array } as const;

/**
 * Reads a row-major `.npy` file of float32, float64 or int32.
 * @throws Error for any other layout.
 */
export function readNpy(path: string): NpyArray {
  const file = readFileSync(path);
  const wide = file[6] >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? file.readUInt32LE(8) : file.readUInt16LE(8);
  const header = file.toString('latin1', start, start + length);
  const type = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '';
  if (!(type in ARRAYS) || !header.includes("'fortran_order': False")) {
    throw new Error(
      `readNpy: expected a row-major array of ${Object.keys(ARRAYS).join(', ')}, got ${header.trim()}`,
    );
  }
  const bytes = Uint8Array.from(file.subarray(start + length));
  return {
    data: new ARRAYS[type as keyof typeof ARRAYS](bytes.buffer),
    shape: shape
      .split(',')
      .filter((part) => part.trim())
      .map(Number),
  };
}
