import { existsSync } from 'node:fs';
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
