import { basename, join } from 'node:path';
import { extractZipEntry, listZip, type ZipEntry } from './read-zip.ts';

/** The two libraries that hold TensorFlow's C interface and kernels. */
export const TENSORFLOW_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Headers that the addon's two source files include, over the releases 2.12 to 2.21. */
const HEADERS = [
  /^tensorflow\/include\/tensorflow\/c\/.*\.h$/,
  /^tensorflow\/include\/(tensorflow\/core|tsl|tensorflow\/tsl|xla\/tsl)\/platform\/ctstring(_internal)?\.h$/,
  /^tensorflow\/include\/(tsl|tensorflow\/tsl|xla\/tsl)\/c\/.*\.h$/,
];

export interface ExtractedLibraries {
  /** Folder with `libtensorflow_*.so.2`. */
  libraryDirectory: string;
  /** Folder to search for `tensorflow/c/c_api.h`. */
  includeDirectory: string;
  /** Bytes written. */
  size: number;
}

/**
 * Unpacks out of a TensorFlow wheel what the addon needs, and nothing else: two libraries and the C headers.
 *
 * @param wheel The wheel.
 * @param directory Receives `tensorflow/*.so.2` and `tensorflow/include/...`, as laid out in the wheel: the libraries
 * of a CUDA wheel look for `../nvidia/NAME/lib` beside that folder.
 * @throws Error when the wheel lacks one of the libraries or the header of the C interface.
 */
export async function extractLibraries(wheel: string, directory: string): Promise<ExtractedLibraries> {
  const entries = await listZip(wheel);
  const libraries = TENSORFLOW_LIBRARIES.map((name) => requireEntry(entries, `tensorflow/${name}`, wheel));
  requireEntry(entries, 'tensorflow/include/tensorflow/c/c_api.h', wheel);
  const headers = entries.filter((entry) => HEADERS.some((pattern) => pattern.test(entry.name)));
  let size = 0;
  for (const entry of [...libraries, ...headers]) {
    await extractZipEntry(wheel, entry, join(directory, entry.name));
    size += entry.size;
  }
  return {
    libraryDirectory: join(directory, 'tensorflow'),
    includeDirectory: join(directory, 'tensorflow', 'include'),
    size,
  };
}

function requireEntry(entries: readonly ZipEntry[], name: string, wheel: string): ZipEntry {
  const found = entries.find((entry) => entry.name === name);
  if (found) return found;
  throw new Error(
    `extractLibraries: the wheel must hold ${name}, got ${basename(wheel)} without it ` +
      '(take a Linux wheel of tensorflow-cpu or tensorflow, 2.12 or later)',
  );
}
