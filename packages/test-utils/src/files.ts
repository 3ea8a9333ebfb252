import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/**
 * A folder or file of the data set collection beside the project (`../shared/data`, or the environment variable
 * VOXFACE_DATA). The data is never part of the project: tests skip visibly where it is absent.
 * @returns the absolute path, or undefined when it does not exist.
 * @throws Error instead of returning undefined when the environment variable VOXFACE_REQUIRE_DATA is set.
 */
export function findData(path: string): string | undefined {
  const roots = [process.env.VOXFACE_DATA, join(WORKSPACE, '../shared/data')];
  const found = roots
    .filter((root) => root !== undefined)
    .map((root) => join(root, path))
    .find(existsSync);
  if (!found && process.env.VOXFACE_REQUIRE_DATA) {
    throw new Error(`findData: VOXFACE_REQUIRE_DATA is set, got no ${path} (set VOXFACE_DATA to its folder)`);
  }
  return found;
}

/** What every golden file says about itself. */
export interface Golden {
  /** The committed script that wrote it. */
  script: string;
  /** Versions of the libraries that computed it. */
  versions: Record<string, string>;
}

/**
 * Reads `golden/NAME.json` beside a test file.
 * @param testFile `import.meta.url` of the test.
 * @throws Error when the file does not name its script and versions.
 */
export function readGolden<T>(testFile: string, name: string): T & Golden {
  const golden = JSON.parse(readFileSync(fileURLToPath(new URL(`golden/${name}.json`, testFile)), 'utf8'));
  if (!golden.script || !golden.versions) {
    throw new Error(`readGolden: a golden file must name its script and versions, got ${name}.json without`);
  }
  return golden;
}

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
