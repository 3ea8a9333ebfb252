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
  return parseNpy(await readFile(file), file);
}

/**
 * Reads the bytes of a numeric `.npy` file.
 * @param where what to call it in errors.
 * @throws Error when it is none or is stored column by column.
 */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  try {
    const { data, shape, fortranOrder } = parse(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
    if (fortranOrder) throw new Error('column-major order (save it with numpy.ascontiguousarray)');
    return { shape, data: Float64Array.from(data as unknown as ArrayLike<number>, Number) };
  } catch (error) {
    throw new Error(`readNpy: expected a numeric .npy file, got ${(error as Error).message} in ${where}`, {
      cause: error,
    });
  }
}
