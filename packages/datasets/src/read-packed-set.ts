import {
  type PackedSample,
  type PackedSet,
  type PackedShard,
  parsePackedSample,
  parsePackedSet,
  schemeOfSet,
  unpackSample,
} from './packed-set.ts';
import { createRecordDataset, type RecordSource } from './record-dataset.ts';
import type { Dataset } from './sample.ts';

/** The files of a packed set, in a folder or at an address. */
export interface PackedSetFiles {
  /** A file's path or address, for errors. */
  where(name: string): string;
  /** Bytes of a file; undefined where the server does not tell. */
  size(name: string): Promise<number | undefined>;
  /** The whole file. */
  read(name: string): Promise<Uint8Array>;
  /** @throws Error when the file ends before. */
  part(name: string, offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes of an index that are read at a time. */
const BLOCK = 2 ** 20;

/**
 * Opens a packed set wherever its files lie. Every line of its index is read and checked once; what stays in memory are the identifiers and
 * where line and picture of each sample lie. Both are read again by their place when asked for.
 * @throws Error when a file is missing, damaged, or shorter than `set.json` says.
 */
export async function readPackedSet(
  files: PackedSetFiles,
  decode: RecordSource<2 | 3>['decode'],
): Promise<Dataset> {
  const set = parsePackedSet(new TextDecoder().decode(await files.read('set.json')), files.where('set.json'));
  const scheme = schemeOfSet(set);
  const index = set.samples ? await indexSamples(files, set.samples) : await indexShards(files, set);
  return {
    ...createRecordDataset({
      name: set.name,
      scheme,
      dims: set.dims,
      ids: index.ids,
      annotate: async (i) => ({ ...unpackSample(await index.sample(i), set, scheme), id: index.ids[i] }),
      readImage: index.picture,
      decode,
    }),
    shards: index.starts,
  };
}

/** Where samples are found. */
interface SampleIndex {
  readonly ids: string[];
  /** The first sample of each shard. */
  readonly starts: readonly number[];
  sample(index: number): Promise<PackedSample>;
  picture(index: number): Promise<Uint8Array>;
}

/** A set of version 1: the samples are in memory. */
async function indexSamples(files: PackedSetFiles, samples: readonly PackedSample[]): Promise<SampleIndex> {
  const end = samples.reduce((max, s) => (s.file ? max : Math.max(max, s.offset + s.length)), 0);
  await checkSize(files, 'images.bin', end);
  return {
    ids: samples.map(({ id }) => id),
    starts: [0],
    sample: async (index) => samples[index],
    picture(index) {
      const { file, offset, length } = samples[index];
      return file === undefined ? files.part('images.bin', offset, length) : files.read(file);
    },
  };
}

/** Reads and checks all lines once, and keeps the places of lines and pictures. */
async function indexShards(files: PackedSetFiles, set: PackedSet): Promise<SampleIndex> {
  const ids: string[] = [];
  const [lineAt, pictureAt] = [new Float64Array(set.count), new Float64Array(set.count)];
  const [lineBytes, pictureBytes] = [new Uint32Array(set.count), new Uint32Array(set.count)];
  /** Pictures that are files of their own. */
  const ownFiles = new Map<number, string>();
  const starts: number[] = [];
  for (const shard of set.shards) {
    const { samples, images, samplesBytes, imagesBytes, count } = shard;
    await checkSize(files, samples, samplesBytes);
    await checkSize(files, images, imagesBytes);
    const first = ids.length;
    starts.push(first);
    for await (const { line, start, end } of readIndex(files, samples, samplesBytes)) {
      const at = ids.length;
      const sample = parsePackedSample(line, set, `line ${at - first + 1} of ${files.where(samples)}`);
      if (!sample.file && sample.offset + sample.length > imagesBytes) {
        throw new Error(
          `openPackedSet: pictures must lie within ${imagesBytes} bytes, got ${sample.id} at ${sample.offset} in ${files.where(samples)}`,
        );
      }
      lineAt[at] = start;
      lineBytes[at] = end - start;
      if (sample.file) ownFiles.set(at, sample.file);
      pictureAt[at] = sample.offset;
      pictureBytes[at] = sample.length;
      ids.push(sample.id);
    }
    if (ids.length - first !== count) {
      throw new Error(
        `openPackedSet: ${files.where(samples)} must hold ${count} samples, got ${ids.length - first} (copy it again)`,
      );
    }
  }
  const shardOf = (index: number): PackedShard => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return set.shards[low];
  };
  return {
    ids: tellApart(ids, set.shards, starts),
    starts,
    async sample(index) {
      const { samples } = shardOf(index);
      const line = await files.part(samples, lineAt[index], lineBytes[index]);
      return parsePackedSample(new TextDecoder().decode(line), set, files.where(samples));
    },
    picture(index) {
      const { images } = shardOf(index);
      const file = ownFiles.get(index);
      if (file !== undefined) return files.read(images.replace(/[^/]*$/, file));
      return files.part(images, pictureAt[index], pictureBytes[index]);
    },
  };
}

/** Where sets that were joined share an identifier, all get their subfolder's name in front. */
function tellApart(ids: string[], shards: readonly PackedShard[], starts: readonly number[]): string[] {
  if (new Set(ids).size === ids.length) return ids;
  let shard = -1;
  return ids.map((id, i) => {
    while (starts[shard + 1] <= i) shard += 1;
    return shards[shard].samples.replace(/[^/]*$/, id);
  });
}

/** The lines of an index and where they lie. */
async function* readIndex(
  files: PackedSetFiles,
  name: string,
  bytes: number,
): AsyncGenerator<{ line: string; start: number; end: number }> {
  const decoder = new TextDecoder();
  let [rest, start] = [new Uint8Array(0), 0];
  for (let at = 0; at < bytes; at += BLOCK) {
    const block = await files.part(name, at, Math.min(BLOCK, bytes - at));
    const all = new Uint8Array(rest.length + block.length);
    all.set(rest);
    all.set(block, rest.length);
    let from = 0;
    for (let to = all.indexOf(10, from); to >= 0; to = all.indexOf(10, from)) {
      yield { line: decoder.decode(all.subarray(from, to)), start, end: start + to + 1 - from };
      start += to + 1 - from;
      from = to + 1;
    }
    rest = all.slice(from);
  }
}

async function checkSize(files: PackedSetFiles, name: string, expected: number): Promise<void> {
  if (expected === 0) return;
  const size = await files.size(name);
  if (size !== undefined && size < expected) {
    throw new Error(
      `openPackedSet: ${files.where(name)} must hold ${expected} bytes, got ${size} (copy it again)`,
    );
  }
}

/** Files of a server that does not answer range requests are kept whole in memory up to so many bytes together. */
const KEPT_BYTES = 2 ** 28;
/** Attempts at a request; the wait doubles from half a second. */
const ATTEMPTS = 4;
/** Milliseconds that a request may take. */
const PATIENCE = 60_000;

/**
 * The files of a packed set at an address, read by range requests. A server that answers those with the whole file is asked once per file,
 * and small files are kept; large ones are refused, as every picture would fetch its whole shard. Only files of that folder are asked for.
 * What fails for a while (no connection, status 429 or 5xx) is tried four times in all.
 */
export function openAddress(base: string | URL): PackedSetFiles {
  const folder = new URL(base, globalThis.location?.href);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const where = (name: string): string => new URL(name, folder).href;
  const whole = new Map<string, Promise<Uint8Array>>();
  let kept = 0;
  const keep = async (name: string, response: Response): Promise<Uint8Array> => {
    const told = Number(response.headers.get('content-length') ?? 0);
    const refuse = (bytes: number): never => {
      throw new Error(
        `openPackedSet: a server must answer range requests (status 206) or send at most ${KEPT_BYTES} bytes, got status 200 and ${bytes} or more for ${where(name)} (serve the set with another server, or copy it to a disk)`,
      );
    };
    if (kept + told > KEPT_BYTES) {
      await response.body?.cancel();
      return refuse(told);
    }
    const blocks: Uint8Array[] = [];
    const reader = response.body!.getReader();
    let size = 0;
    for (let block = await reader.read(); !block.done; block = await reader.read()) {
      blocks.push(block.value);
      size += block.value.length;
      if (kept + size > KEPT_BYTES) {
        await reader.cancel();
        return refuse(size);
      }
    }
    kept += size;
    return new Uint8Array(await new Blob(blocks as BlobPart[]).arrayBuffer());
  };
  const slice = (bytes: Uint8Array, name: string, offset: number, length: number): Uint8Array => {
    if (bytes.length >= offset + length) return bytes.subarray(offset, offset + length);
    throw new Error(
      `openPackedSet: expected ${length} bytes at ${offset}, got a file of ${bytes.length} in ${where(name)}`,
    );
  };
  return {
    where,
    size: async (name) => {
      if (whole.has(name)) return (await whole.get(name)!).length;
      return attempt(where(name), 0, 1, async (response) => {
        if (response.status === 206) {
          await response.body?.cancel();
          // A page sees this header only where the server lets it.
          const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
          return Number.isFinite(total) ? total : undefined;
        }
        const bytes = keep(name, response);
        whole.set(name, bytes);
        bytes.catch(() => whole.delete(name));
        return (await bytes).length;
      });
    },
    read: (name) =>
      attempt(where(name), 0, undefined, async (response) => new Uint8Array(await response.arrayBuffer())),
    async part(name, offset, length) {
      const known = whole.get(name);
      if (known) return slice(await known, name, offset, length);
      return attempt(where(name), offset, length, async (response) => {
        if (response.status !== 206) {
          const bytes = whole.get(name) ?? keep(name, response);
          whole.set(name, bytes);
          bytes.catch(() => whole.delete(name));
          return slice(await bytes, name, offset, length);
        }
        const bytes = new Uint8Array(await response.arrayBuffer());
        const start = Number(
          /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? offset,
        );
        if (bytes.length === length && start === offset) return bytes;
        throw new Error(
          `openPackedSet: expected ${length} bytes at ${offset}, got ${bytes.length} at ${start} of ${where(name)}`,
        );
      });
    },
  };
}

/** Asks for a file or, with a length, a part of it. */
async function attempt<T>(
  address: string,
  offset: number,
  length: number | undefined,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  const range = length === undefined ? undefined : { range: `bytes=${offset}-${offset + length - 1}` };
  for (let tries = 1; ; tries++) {
    let reason: string;
    try {
      const response = await fetch(new URL(address), {
        signal: AbortSignal.timeout(PATIENCE),
        ...(range && { headers: range }),
      });
      if (response.ok) return await take(response);
      await response.body?.cancel();
      reason = `status ${response.status}`;
      if (response.status !== 429 && response.status < 500) tries = ATTEMPTS;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('openPackedSet: ')) throw error;
      const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
      reason = cause?.code ?? cause?.message ?? message;
    }
    if (tries >= ATTEMPTS) throw new Error(`openPackedSet: expected ${address}, got ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries));
  }
}
