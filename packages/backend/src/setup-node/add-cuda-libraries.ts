import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extractZipEntry, listZip } from './read-zip.ts';
import { type DownloadWheelOptions, downloadWheel } from './wheel.ts';

/**
 * Reads from a wheel's METADATA the packages that `tensorflow[and-cuda]` names.
 *
 * @param metadata Text of the METADATA file.
 * @returns Requirements as pip takes them, such as `nvidia-cudnn-cu12<10.0,>=9.3.0.75`.
 */
export function cudaRequirements(metadata: string): string[] {
  const requirements: string[] = [];
  for (const line of metadata.split(/\r?\n/)) {
    const match = /^Requires-Dist:\s*([^;]+);.*extra\s*==\s*["']and-cuda["']/.exec(line);
    if (match) requirements.push(match[1].replaceAll(/[\s()]/g, ''));
  }
  return requirements;
}

/** True for the files of an `nvidia-*` wheel that are needed at run time: `nvidia/NAME/lib/*.so*`. */
export function isCudaLibrary(name: string): boolean {
  return /^nvidia\/[\w.]+\/lib\/[^/]+\.so[.\d]*$/.test(name);
}

/**
 * Fetches the CUDA 12 packages that a GPU wheel of TensorFlow names and unpacks their libraries to
 * `DIRECTORY/nvidia/NAME/lib`. The wheel's own libraries carry the search path `$ORIGIN/../nvidia/NAME/lib`, and
 * NVIDIA's search each other through `$ORIGIN/../../NAME/lib`, so with `DIRECTORY/tensorflow/libtensorflow_*.so.2`
 * beside them all are found without `LD_LIBRARY_PATH`. The driver's `libcuda.so.1` comes with the driver.
 *
 * @param wheel Wheel of `tensorflow`.
 * @param directory Folder that holds `tensorflow/`.
 * @param download What `downloadWheel` needs, but the requirement.
 * @returns Number of libraries unpacked.
 * @throws Error when the wheel names no CUDA packages or one cannot be fetched.
 */
export async function addCudaLibraries(
  wheel: string,
  directory: string,
  download: Omit<DownloadWheelOptions, 'requirement'>,
): Promise<number> {
  const requirements = cudaRequirements(await readMetadata(wheel, directory));
  if (requirements.length === 0) {
    throw new Error(
      `addCudaLibraries: the wheel must name its CUDA packages (extra and-cuda), got ${basename(wheel)} ` +
        '(take tensorflow 2.14 or later for x86_64)',
    );
  }
  let count = 0;
  for (const requirement of requirements) {
    const packed = await downloadWheel({ ...download, requirement });
    for (const entry of await listZip(packed)) {
      if (!isCudaLibrary(entry.name)) continue;
      await extractZipEntry(packed, entry, join(directory, entry.name));
      count++;
    }
    await rm(packed);
  }
  download.log?.(`unpacked ${count} CUDA libraries of ${requirements.length} packages`);
  return count;
}

async function readMetadata(wheel: string, directory: string): Promise<string> {
  const entry = (await listZip(wheel)).find((file) => /^[^/]+\.dist-info\/METADATA$/.test(file.name));
  if (!entry) return '';
  const target = join(directory, 'METADATA');
  await extractZipEntry(wheel, entry, target);
  const text = await readFile(target, 'utf8');
  await rm(target);
  return text;
}
