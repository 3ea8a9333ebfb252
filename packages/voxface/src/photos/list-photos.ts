import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { IMAGE_EXTENSIONS } from '@voxface/datasets/node';
import { globSync } from 'tinyglobby';
import { UsageError } from '../options.ts';

/** A photo to be localized. */
export interface ListedPhoto {
  readonly file: string;
  /** Where its results go, relative to the output folder, without an ending. */
  readonly stem: string;
}

/**
 * Files, folders (searched recursively for images) and glob patterns to a list of photos in order, without repeats.
 * Results of a folder's photos keep its subfolders. A file named by hand is taken whatever its ending; what it contains
 * shows when it is decoded.
 * @throws UsageError naming a path that does not exist or a folder without images.
 */
export function listPhotos(inputs: readonly string[]): ListedPhoto[] {
  const listed = inputs.flatMap((input): ListedPhoto[] => {
    if (!existsSync(input)) {
      const found = /[*?[{]/.test(input) ? globSync(input, { absolute: false }) : [];
      if (found.length === 0) throw new UsageError(`no such file or folder: ${input}`);
      return found.sort().map((file) => ({ file, stem: stemOf(basename(file)) }));
    }
    if (!statSync(input).isDirectory()) return [{ file: input, stem: stemOf(basename(input)) }];
    const files = globSync('**/*', { cwd: input });
    const found = files.filter((file) => IMAGE_EXTENSIONS.includes(extname(file).toLowerCase()));
    const others = files.filter((file) => OTHER_PICTURES.test(file)).sort();
    const named = `${others.slice(0, 3).join(', ')}${others.length > 3 ? ', ...' : ''}`;
    if (found.length === 0) {
      const instead = others.length > 0 ? `, but ${others.length} of other kinds (${named}; ${CONVERT})` : '';
      throw new UsageError(`no images (${IMAGE_EXTENSIONS.join(' ')}) in folder ${input}${instead}`);
    }
    if (others.length > 0) {
      console.error(
        `voxface: ${input}: left out ${others.length} pictures of other kinds: ${named} (${CONVERT})`,
      );
    }
    return found.sort().map((file) => ({
      file: relative(process.cwd(), join(input, file)) || file,
      stem: stemOf(file),
    }));
  });
  const unique = new Map(listed.map((photo) => [resolve(photo.file), photo]));
  return withUniqueStems([...unique.values()]);
}

/** Pictures that nothing here decodes. */
const OTHER_PICTURES = /\.(heic|heif|bmp|psd|jxl|jp2|dng|cr2|cr3|nef|arw|raf|orf|rw2)$/i;
const CONVERT = 'convert them to JPEG first';

/** Counters at the end of stems that come twice. */
function withUniqueStems(photos: readonly ListedPhoto[]): ListedPhoto[] {
  const taken = new Set<string>();
  return photos.map(({ file, stem: wanted }) => {
    let stem = wanted;
    for (let i = 2; taken.has(stem.toLowerCase()); i++) stem = `${wanted}-${i}`;
    taken.add(stem.toLowerCase());
    return { file, stem };
  });
}

function stemOf(file: string): string {
  return join(dirname(file), basename(file, extname(file)));
}
