import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/**
 * A folder or file of the data set collection beside the project (`../shared/data`, or the environment variable
 * VOXFACE_DATA). The data is never part of the project: tests skip visibly where it is absent.
 * @returns the absolute path, or undefined when it does not exist.
 */
export function findData(path: string): string | undefined {
  const roots = [process.env.VOXFACE_DATA, join(WORKSPACE, '../shared/data')];
  return roots
    .filter((root) => root !== undefined)
    .map((root) => join(root, path))
    .find(existsSync);
}
