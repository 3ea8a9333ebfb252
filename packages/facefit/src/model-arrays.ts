import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseMat } from '@voxface/datasets';
import { readNpy, readNpz } from '@voxface/datasets/node';

/** One array of a morphable face's file. */
export interface ModelArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** MATLAB keeps columns together, NumPy rows. */
  readonly columnMajor: boolean;
}

/** The arrays of a morphable face by the names that its file gives them. */
export interface ModelArrays {
  readonly where: string;
  /** Number of the first vertex in lists of indices: 1 in MATLAB files. */
  readonly firstIndex: 0 | 1;
  readonly arrays: ReadonlyMap<string, ModelArray>;
  /** Names of what the file holds but this library does not read, with their class. */
  readonly unsupported: ReadonlyMap<string, string>;
}

/**
 * Reads every array of a `.mat` file (level 5), an `.npz` file or a folder of `.npy` files.
 * @throws Error naming the file when it is none of them, or is damaged.
 */
export async function readModelArrays(target: string): Promise<ModelArrays> {
  const ending = path.extname(target).toLowerCase();
  if (ending === '.mat') {
    const { variables, unsupported } = parseMat(await readFile(target), target);
    const arrays = new Map(
      Array.from(variables, ([name, { shape, data }]) => [name, { shape, data, columnMajor: true }]),
    );
    return { where: target, firstIndex: 1, arrays, unsupported };
  }
  const read = ending === '.npz' ? await readNpz(target) : await readFolder(target);
  const arrays = new Map(
    Array.from(read, ([name, { shape, data }]) => [name, { shape, data, columnMajor: false }]),
  );
  return { where: target, firstIndex: 0, arrays, unsupported: new Map() };
}

async function readFolder(folder: string) {
  const names = await readdir(folder).catch(() => undefined);
  if (!names) {
    throw new Error(
      `readModelArrays: expected a .mat or .npz file or a folder of .npy files, got ${folder} (BFM 2017 is HDF5 and FLAME a pickle: save their arrays in one of these)`,
    );
  }
  const files = names.filter((name) => name.endsWith('.npy')).sort();
  return new Map(
    await Promise.all(
      files.map(
        async (name) => [path.basename(name, '.npy'), await readNpy(path.join(folder, name))] as const,
      ),
    ),
  );
}
