import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, truncate } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Shard, shardOf } from '@voxface/datasets';
import { lockFolder, readLines } from '@voxface/datasets/node';
import { UsageError } from './options.ts';

/** What the first line of a part says: all parts of one job say the same. */
export interface JobHead {
  /** The command that wrote it. */
  readonly voxface: 'localize' | 'evaluate' | 'inspect';
  /** Items of the whole job. */
  readonly count: number;
  /** What the results depend on. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A result with its place in the whole job. */
export interface PartLine<T> {
  readonly index: number;
  readonly value: T;
}

/** The results of one part of a job, written line by line. */
export interface PartWriter {
  readonly file: string;
  /** Last index written by an earlier attempt: the work goes on behind it; -1 for none. */
  readonly last: number;
  /** Adds a result; indices rise. */
  write(index: number, value: object): Promise<void>;
  /** Gives the part its name, which says that it is complete. */
  finish(): Promise<void>;
  /** Leaves what was written to the next attempt. */
  abandon(): Promise<void>;
}

/**
 * The part of a job that this process does.
 * @param text `--shard`, 1-based; absent: what the job's environment says.
 * @throws UsageError see `shardOf`.
 */
export function readShard(text: string | undefined): Shard {
  try {
    return shardOf(text, process.env);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** `found.jsonl` to `found.part-3-of-8.jsonl`. */
export function partFile(out: string, { index, count }: Shard): string {
  return join(dirname(out), `${stemOf(out)}.part-${index + 1}-of-${count}.jsonl`);
}

const UNFINISHED = '.unfinished';

/**
 * Opens a part for writing: a new one, or what a killed attempt has left. Only a complete part has its own name.
 * @param out the file of the whole job.
 * @returns undefined when the part is complete.
 * @throws Error when another process writes it, or when it was begun with other settings.
 */
export async function openPart(out: string, shard: Shard, head: JobHead): Promise<PartWriter | undefined> {
  const file = partFile(out, shard);
  await mkdir(dirname(file), { recursive: true });
  const unlock = await lockFolder(dirname(file), `${basename(file)}`, `${basename(file)}.lock`);
  try {
    if (existsSync(file)) {
      compareHeads(file, await readHead(file), head);
      await unlock();
      return undefined;
    }
    const { handle, last } = await openUnfinished(file + UNFINISHED, shard, head);
    const close = async (): Promise<void> => {
      await handle.sync();
      await handle.close();
    };
    return {
      file,
      last,
      write: (index, value) => handle.appendFile(`${JSON.stringify({ index, ...value })}\n`),
      async finish() {
        await close();
        await rename(file + UNFINISHED, file);
        await unlock();
      },
      async abandon() {
        await close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Does the work of a part: finishes the part, or leaves it to the next attempt when the work fails. */
export async function writePart(part: PartWriter, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await part.abandon();
    throw error;
  }
  await part.finish();
}

/** A line that a kill has cut is written again. */
async function openUnfinished(
  file: string,
  { index, count }: Shard,
  head: JobHead,
): Promise<{ handle: FileHandle; last: number }> {
  let [bytes, last] = [0, -1];
  if (existsSync(file)) {
    for await (const { line, end } of readLines(file)) {
      if (bytes === 0) compareHeads(file, JSON.parse(line), head);
      else last = readLine(file, line).index;
      bytes = end;
    }
    await truncate(file, bytes);
  }
  const handle = await open(file, 'a');
  if (bytes === 0) await handle.appendFile(`${JSON.stringify({ ...head, part: index + 1, of: count })}\n`);
  return { handle, last };
}

function readLine(file: string, line: string): { index: number } {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`openPart: ${file} must hold a JSON a line, got ${(error as Error).message} (delete it)`);
  }
}

async function readHead(file: string): Promise<JobHead> {
  for await (const { line } of readLines(file)) return JSON.parse(line);
  throw new Error(`${file} must begin with the line that says what job it is of, got none (delete it)`);
}

/** Parts of other settings, or of other photos, are no parts of this job. */
function compareHeads(file: string, begun: JobHead, head: JobHead): void {
  const flat = ({ voxface, count, settings }: JobHead): Record<string, unknown> =>
    JSON.parse(JSON.stringify({ command: voxface, count, ...settings }));
  const [was, is] = [flat(begun), flat(head)];
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [old, own] = [JSON.stringify(was[name]), JSON.stringify(is[name])];
    if (old === own) continue;
    throw new Error(
      `${file} was begun with ${name} ${old ?? 'absent'}, got ${own ?? 'none'} (the same settings and inputs, or delete the parts)`,
    );
  }
}

/** The parts of a job, in order of their items. */
export interface Job extends JobHead {
  readonly files: readonly string[];
  /** Streams the results of all parts in the order of the whole job. */
  lines<T>(): AsyncGenerator<PartLine<T>>;
}

/**
 * Opens the complete parts of a job.
 * @param out the file of the whole job.
 * @throws UsageError when there are none; Error naming parts that are missing, unfinished, or of another job.
 */
export async function openParts(out: string): Promise<Job> {
  const files = await listParts(out);
  const heads = await Promise.all(files.map(readHead));
  for (const [k, head] of heads.entries()) compareHeads(files[k], head, heads[0]);
  return { ...heads[0], files, lines: () => weaveLines(files, heads[0].count) };
}

async function listParts(out: string): Promise<string[]> {
  const names = await readdir(dirname(out)).catch((): string[] => []);
  const found = names.flatMap((name) => {
    const match = /^(.*)\.part-(\d+)-of-(\d+)\.jsonl(\.unfinished)?$/.exec(name);
    if (match?.[1] !== stemOf(out)) return [];
    return [{ name, part: Number(match[2]), of: Number(match[3]), unfinished: match[4] !== undefined }];
  });
  const [first] = found;
  if (first === undefined) {
    throw new UsageError(
      `merge: expected parts of ${out} beside it (${basename(partFile(out, { index: 0, count: 8 }))}, ...), got none`,
    );
  }
  const other = found.find(({ of }) => of !== first.of);
  if (other !== undefined) {
    throw new Error(
      `merge: expected the parts of one job, got ${first.name} and ${other.name} (delete those of the other)`,
    );
  }
  const complete = new Map(found.filter((p) => !p.unfinished).map((p) => [p.part, p.name]));
  const missing = Array.from({ length: first.of }, (_, i) => i + 1).filter((part) => !complete.has(part));
  if (missing.length > 0) {
    const begun = found.filter(({ unfinished, part }) => unfinished && !complete.has(part));
    throw new Error(
      `merge: expected ${first.of} complete parts of ${out}, got ${complete.size}; missing: ${missing.slice(0, 20).join(', ')}${missing.length > 20 ? ', ...' : ''}${begun.length ? ` (${begun.length} of them unfinished)` : ''} (run those again with --shard i/${first.of})`,
    );
  }
  return Array.from({ length: first.of }, (_, i) => join(dirname(out), complete.get(i + 1)!));
}

/** Item i is line i / n of part i modulo n: one line of each part is in memory. */
async function* weaveLines<T>(files: readonly string[], count: number): AsyncGenerator<PartLine<T>> {
  const readers = files.map((file) => readJsonLines<T & { index: number }>(file));
  try {
    for (const reader of readers) await reader.next();
    for (let i = 0; i < count; i++) {
      const file = files[i % files.length];
      const { value: line, done } = await readers[i % files.length].next();
      if (done || line.index !== i) {
        throw new Error(
          `merge: expected item ${i} of ${count} next, got ${done ? 'the end' : `item ${line.index}`} in ${file} (delete it and run that part again)`,
        );
      }
      const { index, ...value } = line;
      yield { index, value: value as unknown as T };
    }
    for (const [k, reader] of readers.entries()) {
      if (!(await reader.next()).done) {
        throw new Error(
          `merge: expected ${count} items, got more in ${files[k]} (delete it and run that part again)`,
        );
      }
    }
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}

async function* readJsonLines<T>(file: string): AsyncGenerator<T> {
  const input = createReadStream(file, { highWaterMark: 1 << 16 });
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      yield JSON.parse(line) as T;
    }
  } finally {
    input.destroy();
  }
}

/** Writes the results of a job as one file, a JSON a line; beside it first, then in its place. */
export async function writeMerged(out: string, job: Job): Promise<{ items: number; failed: number }> {
  const counts = { items: 0, failed: 0 };
  const handle = await open(`${out}.part`, 'w');
  try {
    let text = '';
    for await (const { value } of job.lines<{ error?: string }>()) {
      text += `${JSON.stringify(value)}\n`;
      counts.items += 1;
      if (value.error !== undefined) counts.failed += 1;
      if (text.length < 1 << 20) continue;
      await handle.appendFile(text);
      text = '';
    }
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${out}.part`, out);
  return counts;
}

/** Removes the parts of a job that has been merged. */
export async function removeParts({ files }: Job): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}

function stemOf(out: string): string {
  return basename(out, extname(out));
}
