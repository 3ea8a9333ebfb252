import { appendFile, readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { PackedSample, PackedSet } from '../packed-set.ts';

/** Annotations of a set that is being written, one line per complete sample. */
export const JOURNAL = 'samples.jsonl';

/**
 * The samples that an earlier writer left in the folder: those of its journal, or of a finished set, whose journal is
 * made again. A line that was cut by the interruption is dropped.
 * @throws Error when there are some and `resume` is false, or a finished set has other dimensions.
 */
export async function recoverSamples(
  dir: string,
  head: Pick<PackedSet, 'dims'>,
  resume: boolean,
): Promise<PackedSample[]> {
  const readText = (file: string): Promise<string | undefined> =>
    readFile(path.join(dir, file), 'utf8').catch(() => undefined);
  const setText = await readText('set.json');
  const journal = await readText(JOURNAL);
  if (setText === undefined && journal === undefined) return [];
  if (!resume) {
    throw new Error(
      `createPackedSetWriter: ${dir} already holds a set (resume it, or choose another folder)`,
    );
  }
  if (setText !== undefined && journal === undefined) {
    const set = JSON.parse(setText) as PackedSet;
    if (set.dims !== head.dims) {
      throw new Error(
        `createPackedSetWriter: the set in ${dir} has ${set.dims} dimensions, got ${head.dims}`,
      );
    }
    await appendFile(
      path.join(dir, JOURNAL),
      set.samples.map((sample) => JSON.stringify(sample) + '\n').join(''),
    );
    return [...set.samples];
  }
  const samples: PackedSample[] = [];
  let length = 0;
  for (const line of journal!.split('\n').slice(0, -1)) {
    samples.push(JSON.parse(line) as PackedSample);
    length += Buffer.byteLength(line) + 1;
  }
  await truncate(path.join(dir, JOURNAL), length);
  return samples;
}
