import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../checkpoint.ts';

const PATTERN = /^step-(\d+)\.ckpt$/;

/** Checkpoints of one run on disk. */
export interface CheckpointFolder {
  /** Writes a checkpoint atomically and removes those beyond the newest `keep`. Returns the file's path. */
  save(checkpoint: Checkpoint): Promise<string>;
  /** Number of checkpoints in the folder. */
  count(): Promise<number>;
  /** Deletes all checkpoints. */
  clear(): Promise<void>;
  /** Keeps the newest checkpoint as `best.ckpt` too. */
  markBest(file: string): Promise<void>;
  /**
   * Reads the newest checkpoint that is whole.
   * @param warn told about every damaged file that was passed over.
   * @returns undefined when there is none.
   */
  loadNewest(warn: (message: string) => void): Promise<{ checkpoint: Checkpoint; file: string } | undefined>;
}

/** Opens (and creates) a folder of checkpoints. */
export async function openCheckpointFolder(folder: string, keep = 3): Promise<CheckpointFolder> {
  await mkdir(folder, { recursive: true });
  const list = async (): Promise<string[]> =>
    (await readdir(folder))
      .filter((name) => PATTERN.test(name))
      .sort((a, b) => stepOf(b) - stepOf(a))
      .map((name) => join(folder, name));
  return {
    async save(checkpoint) {
      const file = join(folder, `step-${String(checkpoint.state.step).padStart(8, '0')}.ckpt`);
      await writeAtomically(file, encodeCheckpoint(checkpoint));
      for (const old of (await list()).slice(keep)) await rm(old);
      return file;
    },
    count: async () => (await list()).length,
    async clear() {
      for (const file of [...(await list()), join(folder, 'best.ckpt')]) await rm(file, { force: true });
    },
    async markBest(file) {
      const temporary = join(folder, 'best.ckpt.tmp');
      await rm(temporary, { force: true });
      await link(file, temporary);
      await rename(temporary, join(folder, 'best.ckpt'));
    },
    async loadNewest(warn) {
      for (const file of await list()) {
        try {
          return { checkpoint: decodeCheckpoint(await readFile(file), file), file };
        } catch (error) {
          warn(`${(error as Error).message}; the one before it is used`);
        }
      }
      return undefined;
    },
  };
}

/** Writes to a temporary file, flushes it to the disk and renames it, so that no reader ever sees half a file. */
export async function writeAtomically(file: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

function stepOf(name: string): number {
  return Number(PATTERN.exec(name)?.[1]);
}
