import { createReadStream } from 'node:fs';
import {
  access,
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { type Pixels, withDefaults } from '@voxface/landmarks';
import sharp from 'sharp';
import {
  type PackedSample,
  type PackedSet,
  type PackedSetHead,
  type PackedShard,
  packPixels,
  parsePackedSample,
  parsePackedSet,
  viewPixels,
} from '../packed-set.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { lockFolder, type Unlock } from './folder-lock.ts';

export interface PackedSetWriterOptions {
  /** JPEG quality of pictures that are given as pixels, 1..100. @default 92 */
  quality?: number;
  /**
   * Store pictures that are given as pixels decoded: about ten times the bytes, and nothing to decode when they are read.
   * @default false
   */
  decoded?: boolean;
  /** True continues an interrupted set in the folder; false refuses a folder that holds one. @default false */
  resume?: boolean;
  /** A shard is closed and another begun when its pictures hold this many bytes. @default 2 ** 30 */
  shardBytes?: number;
}

export const PACKED_SET_WRITER_DEFAULTS: Required<PackedSetWriterOptions> = {
  quality: 92,
  decoded: false,
  resume: false,
  shardBytes: 2 ** 30,
};

/** Writes a packed set sample by sample; everything added survives an interruption. */
export interface PackedSetWriter {
  /** Identifiers already in the set. */
  readonly ids: ReadonlySet<string>;
  /**
   * Adds a sample: encoded bytes go in unchanged, pixels are stored as JPEG without chroma subsampling, or decoded.
   * @throws Error when the identifier is there already, or a landmark is not finite.
   */
  add(annotation: Omit<Annotation, 'scheme'>, image: Uint8Array | Pixels): Promise<void>;
  /** Writes `set.json`, which makes the samples a set, and gives the folder free. */
  close(): Promise<void>;
  /** Gives the folder free without writing `set.json`: what was added waits for a writer with `resume`. */
  abandon(): Promise<void>;
}

/**
 * Opens a folder for writing in our own format: shards of annotations (`samples.jsonl`, `samples-001.jsonl`, ..., one
 * JSON per line) and image files one after the other (`images.bin`, `images-001.bin`, ...), and last `set.json`, which
 * says how many bytes of them make the set. Memory grows with the identifiers alone.
 * @throws Error when another writer holds the folder, when it already holds a set and `resume` is false, or when what
 * it holds cannot be read: nothing that could not be read is ever cut or replaced.
 */
export async function createPackedSetWriter(
  dir: string,
  head: PackedSetHead,
  options: PackedSetWriterOptions = {},
): Promise<PackedSetWriter> {
  const settings = withDefaults(PACKED_SET_WRITER_DEFAULTS, options);
  const unlock = await lockFolder(dir, `the packed set ${head.name}`);
  try {
    return await openWriter(dir, head, settings, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openWriter(
  dir: string,
  head: PackedSetHead,
  { quality, decoded, resume, shardBytes }: Required<PackedSetWriterOptions>,
  unlock: Unlock,
): Promise<PackedSetWriter> {
  await mkdir(dir, { recursive: true });
  const { shards, ids, sizes } = await recoverShards(dir, head, resume);
  let files = await openShard(dir, shards);
  let tail: Promise<void> = Promise.resolve();
  const append = async (annotation: Omit<Annotation, 'scheme'>, image: EncodedImage): Promise<void> => {
    if (shards.at(-1)!.imagesBytes >= shardBytes) {
      await closeShard(files);
      shards.push(emptyShard(shards.length));
      files = await openShard(dir, shards);
    }
    const shard = shards[shards.length - 1];
    const { bytes, width, height } = image;
    const sample = packSample(
      annotation,
      { offset: shard.imagesBytes, length: bytes.length, width, height },
      image,
    );
    const line = Buffer.from(`${JSON.stringify(sample)}\n`);
    // At stated places: what a full disk cut short is written over by the next sample.
    await writeAll(files.images, bytes, shard.imagesBytes);
    await writeAll(files.samples, line, shard.samplesBytes);
    shards[shards.length - 1] = {
      ...shard,
      count: shard.count + 1,
      samplesBytes: shard.samplesBytes + line.length,
      imagesBytes: shard.imagesBytes + bytes.length,
    };
    sizes.add(`${width} ${height}`);
  };
  const finish = async (): Promise<void> => {
    await tail;
    await closeShard(files);
  };
  return {
    ids,
    async add(annotation, image) {
      const { id, landmarks } = annotation;
      if (ids.has(id)) {
        throw new Error(`add: identifiers must be unique, got "${id}" twice in ${head.name}`);
      }
      const gap = landmarks.points.find((value) => !Number.isFinite(value));
      if (gap !== undefined) {
        throw new Error(
          `add: landmarks must be finite, got ${gap} in "${id}" of ${head.name} (mask hidden ones)`,
        );
      }
      ids.add(id);
      const written = (async () => {
        const encoded = await encodeImage(image, quality, decoded);
        const turn = tail.then(() => append(annotation, encoded));
        tail = turn.catch(() => {});
        return turn;
      })();
      return written.catch((error: Error) => {
        ids.delete(id);
        throw new Error(`add: "${id}" could not be written into ${dir}: ${error.message}`, { cause: error });
      });
    },
    async close() {
      await finish();
      const count = shards.reduce((sum, shard) => sum + shard.count, 0);
      const [width, height] = sizes.size === 1 ? [...sizes][0].split(' ').map(Number) : [];
      const imageSize = width === undefined ? null : ([width, height] as const);
      const set: PackedSet = { version: 2, ...head, count, imageSize, shards };
      await replaceFile(path.join(dir, 'set.json'), `${JSON.stringify(set, null, 1)}\n`);
      await unlock();
    },
    async abandon() {
      await finish();
      await unlock();
    },
  };
}

interface ShardFiles {
  readonly samples: FileHandle;
  readonly images: FileHandle;
}

function emptyShard(index: number): PackedShard {
  const number = index === 0 ? '' : `-${String(index).padStart(3, '0')}`;
  return {
    samples: `samples${number}.jsonl`,
    images: `images${number}.bin`,
    count: 0,
    samplesBytes: 0,
    imagesBytes: 0,
  };
}

async function openShard(dir: string, shards: readonly PackedShard[]): Promise<ShardFiles> {
  const { samples, images } = shards[shards.length - 1];
  const openFile = async (name: string): Promise<FileHandle> => {
    const file = path.join(dir, name);
    return open(file, (await isThere(file)) ? 'r+' : 'w+');
  };
  return { samples: await openFile(samples), images: await openFile(images) };
}

/** On the disk before anything names it. */
async function closeShard({ samples, images }: ShardFiles): Promise<void> {
  for (const handle of [images, samples]) {
    await handle.sync();
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Writes beside, then renames: the old file stays whole until the new one is. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.part`, 'w');
  await handle.writeFile(text);
  await handle.sync();
  await handle.close();
  await rename(`${file}.part`, file);
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

interface Recovered {
  readonly shards: PackedShard[];
  readonly ids: Set<string>;
  /** Sizes of the pictures, `width height`. */
  readonly sizes: Set<string>;
}

/**
 * What an earlier writer left in the folder; a set of version 1 gets its samples as lines first. A line that was cut by
 * the interruption, and picture bytes that no line names, are dropped from the last shard.
 */
async function recoverShards(dir: string, head: PackedSetHead, resume: boolean): Promise<Recovered> {
  const first = emptyShard(0);
  const hasSet = await isThere(path.join(dir, 'set.json'));
  const hasSamples = await isThere(path.join(dir, first.samples));
  const recovered: Recovered = { shards: [], ids: new Set(), sizes: new Set() };
  if (!hasSet && !hasSamples) return { ...recovered, shards: [first] };
  if (!resume) {
    throw new Error(
      `createPackedSetWriter: ${dir} already holds a set (resume it, or choose another folder)`,
    );
  }
  if (hasSet) await checkSet(dir, head, hasSamples);
  for (let index = 0; ; index++) {
    const shard = emptyShard(index);
    if (!(await isThere(path.join(dir, shard.samples)))) break;
    const isLast = !(await isThere(path.join(dir, emptyShard(index + 1).samples)));
    recovered.shards.push(await recoverShard(dir, head, shard, isLast, recovered));
  }
  return recovered;
}

async function checkSet(dir: string, head: PackedSetHead, hasSamples: boolean): Promise<void> {
  const file = path.join(dir, 'set.json');
  const set = parsePackedSet(await readFile(file, 'utf8'), file);
  if (set.dims !== head.dims || set.scheme.count !== head.scheme.count) {
    throw new Error(
      `createPackedSetWriter: the set in ${dir} has ${set.scheme.count} landmarks in ${set.dims} dimensions, got ${head.scheme.count} in ${head.dims}`,
    );
  }
  if (hasSamples) return;
  if (!set.samples) {
    throw new Error(
      `createPackedSetWriter: ${dir} must hold ${set.shards[0]?.samples}, got none (copy it again)`,
    );
  }
  const lines = path.join(dir, emptyShard(0).samples);
  await writeFile(`${lines}.part`, set.samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  await rename(`${lines}.part`, lines);
}

async function recoverShard(
  dir: string,
  head: PackedSetHead,
  shard: PackedShard,
  isLast: boolean,
  { ids, sizes }: Recovered,
): Promise<PackedShard> {
  const [samplesFile, imagesFile] = [path.join(dir, shard.samples), path.join(dir, shard.images)];
  let [count, samplesBytes, imagesBytes] = [0, 0, 0];
  for await (const { line, end } of readLines(samplesFile)) {
    const sample = parsePackedSample(line, head, `line ${count + 1} of ${samplesFile}`);
    ids.add(sample.id);
    sizes.add(`${sample.width} ${sample.height}`);
    if (!sample.file) imagesBytes = Math.max(imagesBytes, sample.offset + sample.length);
    samplesBytes = end;
    count += 1;
  }
  const size = (await isThere(imagesFile)) ? (await stat(imagesFile)).size : 0;
  if (size < imagesBytes) {
    throw new Error(
      `createPackedSetWriter: ${shard.images} of ${dir} must hold ${imagesBytes} bytes, got ${size} (delete the folder)`,
    );
  }
  if (isLast) {
    await truncate(samplesFile, samplesBytes);
    if (size > imagesBytes) await truncate(imagesFile, imagesBytes);
  }
  return { ...shard, count, samplesBytes, imagesBytes };
}

/** The whole lines of a file, each with the byte after its end; what follows the last line break is left out. */
export async function* readLines(
  file: string,
  end: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<{ line: string; start: number; end: number }> {
  let [rest, start]: [Buffer, number] = [Buffer.alloc(0), 0];
  const last = end === Number.POSITIVE_INFINITY ? {} : { end: Math.max(0, end - 1) };
  if (end === 0) return;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, ...last })) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let at = rest.indexOf(10, from); at >= 0; at = rest.indexOf(10, from)) {
      yield { line: rest.toString('utf8', from, at), start, end: start + at + 1 - from };
      start += at + 1 - from;
      from = at + 1;
    }
    rest = rest.subarray(from);
  }
}

interface EncodedImage {
  /** Given as a file's bytes, with its orientation tag; false: made from pixels, which are as the points see them. */
  readonly isEncoded: boolean;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

async function encodeImage(
  image: Uint8Array | Pixels,
  quality: number,
  decoded: boolean,
): Promise<EncodedImage> {
  if (image instanceof Uint8Array) {
    const { width, height } = viewPixels(image, 'a decoded picture') ?? (await sharp(image).metadata());
    return { isEncoded: true, bytes: image, width, height };
  }
  const { data, width, height, channels } = image;
  const picture = sharp(data, { raw: { width, height, channels } }).removeAlpha();
  if (decoded) {
    const rgb = channels === 3 ? data : await picture.raw().toBuffer();
    return { isEncoded: false, bytes: packPixels({ data: rgb, width, height, channels: 3 }), width, height };
  }
  const bytes = await picture.jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
  return { isEncoded: false, bytes, width, height };
}

function packSample(
  annotation: Omit<Annotation, 'scheme'>,
  place: Pick<PackedSample, 'offset' | 'length' | 'width' | 'height'>,
  image: Pick<EncodedImage, 'isEncoded'>,
): PackedSample {
  const { id, landmarks, box, visible, occluded, upright, yaw, attributes, provenance } = annotation;
  return {
    id,
    ...place,
    landmarks: Array.from(landmarks.points, (value) => Math.round(value * 1e4) / 1e4),
    box: [box.x, box.y, box.width, box.height],
    ...(visible && { visible: Array.from(visible) }),
    ...(occluded && { occluded: Array.from(occluded) }),
    ...(upright && image.isEncoded && { upright }),
    ...(yaw !== undefined && { yaw }),
    ...(attributes && { attributes }),
    provenance,
  };
}

/**
 * Writes a whole dataset as a packed set. Encoded pictures go in as they are where the dataset offers them.
 * @param onProgress told the number of samples done.
 */
export async function writePackedSet(
  dir: string,
  dataset: Dataset,
  options: PackedSetWriterOptions & {
    onProgress?: (done: number, total: number) => void;
    /** Called for each sample that cannot be read. @default the first one throws */
    onProblem?: (problem: { id: string; error: Error }) => void;
  } = {},
): Promise<void> {
  const { name, dims, scheme } = dataset;
  const writer = await createPackedSetWriter(dir, { name, dims, scheme }, options);
  try {
    await addAll(writer, dataset, options);
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  await writer.close();
}

async function addAll(
  writer: PackedSetWriter,
  dataset: Dataset,
  options: NonNullable<Parameters<typeof writePackedSet>[2]>,
): Promise<void> {
  for (let i = 0; i < dataset.length; i++) {
    if (!writer.ids.has(dataset.ids[i])) {
      try {
        if (dataset.loadEncoded) {
          const { encoded, ...annotation } = await dataset.loadEncoded(i);
          await writer.add(annotation, encoded);
        } else {
          const { image, ...annotation } = await dataset.load(i);
          await writer.add(annotation, image);
        }
      } catch (error) {
        if (!options.onProblem) throw error;
        options.onProblem({ id: dataset.ids[i], error: error as Error });
      }
    }
    options.onProgress?.(i + 1, dataset.length);
  }
}
