import { existsSync, statSync } from 'node:fs';
import { basename, extname, relative, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { UsageError } from '../options.ts';

export const PHOTO_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.avif',
  '.tif',
  '.tiff',
  '.gif',
];

/**
 * Files, folders (searched recursively for pictures) and glob patterns to a list of files in order, without
 * repeats. A file named by hand is taken whatever its ending; what it holds shows when it is decoded.
 * @throws UsageError naming a path that does not exist or a folder without pictures.
 */
export function listPhotos(
  inputs: readonly string[],
  extensions: readonly string[] = PHOTO_EXTENSIONS,
): string[] {
  const files = inputs.flatMap((input) => {
    if (!existsSync(input)) {
      const found = /[*?[{]/.test(input) ? globSync(input, { absolute: false }) : [];
      if (found.length === 0) throw new UsageError(`no such file or folder: ${input}`);
      return found.sort();
    }
    if (!statSync(input).isDirectory()) return [input];
    const found = globSync('**/*', { cwd: input, absolute: true })
      .filter((file) => extensions.includes(extname(file).toLowerCase()))
      .map((file) => relative(process.cwd(), file) || file)
      .sort();
    if (found.length === 0) throw new UsageError(`no images (${extensions.join(' ')}) in folder ${input}`);
    return found;
  });
  return [...new Map(files.map((file) => [resolve(file), file])).values()];
}

/** Output stems, one per file: the file's name without ending, made unique by a counter. */
export function uniqueStems(files: readonly string[]): string[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const base = basename(file, extname(file));
    let stem = base;
    for (let i = 2; taken.has(stem.toLowerCase()); i++) stem = `${base}-${i}`;
    taken.add(stem.toLowerCase());
    return stem;
  });
}
