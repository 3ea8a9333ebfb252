import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../../../../..', 'shared/data');

/** Folder of the licensed data, beside the repository. */
export const DATA: string = root;

/** Whether a part of the data is there; throws instead of answering no when VOXFACE_REQUIRE_DATA is set. */
export function haveData(part: string): boolean {
  const have = existsSync(path.join(root, part));
  if (!have && process.env.VOXFACE_REQUIRE_DATA) {
    throw new Error(`haveData: VOXFACE_REQUIRE_DATA is set, but ${part} is missing under ${root}`);
  }
  if (!have) console.warn(`skipped: no ${part} under ../shared/data`);
  return have;
}
