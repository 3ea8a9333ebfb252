import { readFile } from 'node:fs/promises';
import { parse } from 'npyjs';

/** An array of a `.npy` file. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float64Array;
}

/**
 * Reads a numeric `.npy` file.
 * @throws Error naming the file when it is none or is stored column by column.
 */
export async function readNpy(file: string): Promise<NpyArray> {
  const bytes = await readFile(file);
  try {
    const { data, shape, fortranOrder } = parse(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
    if (fortranOrder) throw new Error('column-major order (save it with numpy.ascontiguousarray)');
    return { shape, data: Float64Array.from(data as unknown as ArrayLike<number>, Number) };
  } catch (error) {
    throw new Error(`readNpy: expected a numeric .npy file, got ${(error as Error).message} in ${file}`, {
      cause: error,
    });
  }
}
