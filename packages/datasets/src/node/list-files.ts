import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Extensions that the loaders accept for pictures, in order of preference. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.bmp',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
];

/**
 * All files under a folder, as sorted relative paths with forward slashes.
 * @throws Error when the folder does not exist or is none.
 */
export async function listFiles(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .sort();
  } catch (error) {
    throw new Error(`listFiles: expected a readable folder, got ${root} (${(error as Error).message})`, {
      cause: error,
    });
  }
}

/** File name without its extension, folders kept. */
export function stemOf(file: string): string {
  return file.slice(0, file.length - path.extname(file).length);
}

/** Map from stem to picture among the files. */
export function imagesByStem(files: readonly string[]): Map<string, string> {
  const images = new Map<string, string>();
  const rank = (file: string): number => IMAGE_EXTENSIONS.indexOf(path.extname(file).toLowerCase());
  for (const file of files) {
    if (rank(file) < 0) continue;
    const known = images.get(stemOf(file));
    if (known === undefined || rank(file) < rank(known)) images.set(stemOf(file), file);
  }
  return images;
}
