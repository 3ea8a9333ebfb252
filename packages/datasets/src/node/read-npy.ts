import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
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
    const {
      data: raw,
      shape,
      fortranOrder,
    } = parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
    if (fortranOrder) throw new Error('column-major order (save it with numpy.ascontiguousarray)');
    const data = raw as unknown as ArrayLike<number>;
    const count = shape.reduce((product, size) => product * size, 1);
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count !== data.length) {
      throw new Error(`shape [${shape.join(', ')}] beside ${data.length} numbers`);
    }
    return { shape, data: Float64Array.from(data, Number) };
  } catch (error) {
    throw new Error(`readNpy: expected a numeric .npy file, got ${(error as Error).message} in ${where}`, {
      cause: error,
    });
  }
}

export interface NpzOptions {
  /**
   * Limit of the unpacked size, numbers of eight bytes included: a small archive can hold gigabytes.
   * @default 2 ** 28
   */
  maxBytes?: number;
}

export const NPZ_DEFAULTS: Required<NpzOptions> = { maxBytes: 2 ** 28 };

/**
 * Reads the numeric arrays of an `.npz` file (`numpy.savez`, `savez_compressed`) by name. Arrays that are not
 * numeric (pickled objects, text) are left out.
 * @throws Error naming the file when it is no zip archive, and the array when it is stored column by column.
 */
export async function readNpz(
  file: string,
  { maxBytes = NPZ_DEFAULTS.maxBytes }: NpzOptions = {},
): Promise<ReadonlyMap<string, NpyArray>> {
  const bytes = await readFile(file);
  let entries: Record<string, Uint8Array>;
  try {
    let total = 0;
    entries = unzipSync(bytes, {
      filter({ originalSize, name }) {
        total += originalSize;
        if (total > maxBytes) {
          throw new Error(
            `more than ${maxBytes} bytes from ${name} on (raise maxBytes if the file is trusted)`,
          );
        }
        return name.endsWith('.npy');
      },
    });
  } catch (error) {
    throw new Error(`readNpz: expected a whole .npz file, got ${(error as Error).message} in ${file}`, {
      cause: error,
    });
  }
  const arrays = new Map<string, NpyArray>();
  let room = maxBytes;
  for (const [name, content] of Object.entries(entries)) {
    const width = numberBytes(content);
    if (!name.endsWith('.npy') || width === undefined) continue;
    room -= (content.length * 8) / width;
    if (room < 0) {
      throw new Error(
        `readNpz: numbers must take at most ${maxBytes} bytes, got more with ${name} in ${file} (raise maxBytes if the file is trusted)`,
      );
    }
    arrays.set(name.slice(0, -4), parseNpy(content, `${file}: ${name}`));
  }
  return arrays;
}

/** Bytes of a number where the header's `descr` names a plain number type. */
function numberBytes(npy: Uint8Array): number | undefined {
  const header = new TextDecoder('latin1').decode(npy.subarray(0, 256));
  const width = Number(/'descr':\s*'[<>|=]?[fiub](\d+)'/.exec(header)?.[1]);
  return width > 0 ? width : undefined;
}
