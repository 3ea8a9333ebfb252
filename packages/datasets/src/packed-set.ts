import { type LandmarkScheme, type Pixels, SCHEMES } from '@voxface/landmarks';
import { checkInnerPath } from './record-dataset.ts';
import type { Annotation, Provenance } from './sample.ts';

/** One sample of a packed set: a line of `samples.jsonl`. The picture is a slice of its shard's images, or a `file` in the folder. */
export interface PackedSample {
  readonly id: string;
  readonly file?: string;
  /** Bytes from the start of the shard's images. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Pixels of the stored picture. */
  readonly width: number;
  readonly height: number;
  /** [n * dims] interleaved, pixels of the stored picture, 0-based, +z away from the camera. */
  readonly landmarks: readonly number[];
  /** x, y, width, height. */
  readonly box: readonly [number, number, number, number];
  readonly visible?: readonly number[];
  readonly occluded?: readonly number[];
  readonly upright?: boolean;
  /** Degrees. */
  readonly yaw?: number;
  readonly attributes?: Readonly<Record<string, boolean | number | string>>;
  readonly provenance?: Provenance;
}

/**
 * A part of a packed set: its annotations, one JSON per line, and its image files one after the other. In a set that was
 * joined of several, both lie in a subfolder (`shard-0-of-8/samples.jsonl`).
 */
export interface PackedShard {
  readonly samples: string;
  readonly images: string;
  readonly count: number;
  /** Bytes of `samples` and `images` that belong to the set; what lies beyond is of an unfinished writer. */
  readonly samplesBytes: number;
  readonly imagesBytes: number;
}

/** What every sample of a packed set shares. */
export interface PackedSetHead {
  readonly name: string;
  readonly dims: 2 | 3;
  readonly scheme: LandmarkScheme;
}

/** `set.json`, written last: the set is what it says. */
export interface PackedSet extends PackedSetHead {
  readonly version: 2;
  readonly count: number;
  /** [width, height] when all pictures have the same size. */
  readonly imageSize: readonly [number, number] | null;
  readonly shards: readonly PackedShard[];
  /** The samples themselves where `set.json` is of version 1, which held them. */
  readonly samples?: readonly PackedSample[];
}

/**
 * Reads `set.json`. Version 1, which held all samples itself, is read as one shard.
 * @param where what to call it in errors.
 * @throws Error when it is no JSON, of another version, or breaks a rule.
 * @internal
 */
export function parsePackedSet(text: string, where: string): PackedSet {
  let set: Omit<PackedSet, 'version'> & { readonly version: number };
  try {
    set = JSON.parse(text);
  } catch (error) {
    throw new Error(
      `parsePackedSet: expected JSON, got ${(error as Error).message} in ${where} (truncated?)`,
      { cause: error },
    );
  }
  const refuse = (rule: string, got: unknown): never => {
    throw new Error(`parsePackedSet: ${rule}, got ${JSON.stringify(got)?.slice(0, 80)} in ${where}`);
  };
  if (set === null || typeof set !== 'object') refuse('expected an object', set);
  if (set.version !== 1 && set.version !== 2) refuse('expected version 1 or 2', set.version);
  if (set.dims !== 2 && set.dims !== 3) refuse('dims must be 2 or 3', set.dims);
  if (typeof set.name !== 'string') refuse('name must be a text', set.name);
  const { scheme } = set;
  if (!(typeof scheme === 'object' && scheme !== null && isCount(scheme.count) && scheme.count > 0)) {
    refuse('expected the annotation scheme', scheme);
  }
  if (set.version === 1) {
    if (!Array.isArray(set.samples) || set.samples.length !== set.count) {
      refuse(`count says ${set.count} samples`, set.samples?.length);
    }
    for (const sample of set.samples!) checkPackedSample(sample, set, where);
    return { ...set, version: 2, shards: [] };
  }
  if (!Array.isArray(set.shards)) refuse('expected a list of shards', set.shards);
  for (const shard of set.shards) {
    const fine =
      typeof shard === 'object' &&
      shard !== null &&
      [shard.count, shard.samplesBytes, shard.imagesBytes].every(isCount) &&
      [shard.samples, shard.images].every(
        (name) => typeof name === 'string' && /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/.test(name),
      );
    if (!fine) refuse('a shard names two files of the folder or a folder in it and says its counts', shard);
  }
  const total = set.shards.reduce((sum, { count }) => sum + count, 0);
  if (total !== set.count) refuse(`count says ${set.count} samples`, total);
  return { ...set, version: 2 };
}

/**
 * Reads one line of a shard's `samples`.
 * @throws Error naming place and rule when it is no JSON or a field breaks a rule.
 */
export function parsePackedSample(line: string, head: PackedSetHead, where: string): PackedSample {
  let sample: PackedSample;
  try {
    sample = JSON.parse(line) as PackedSample;
  } catch (error) {
    throw new Error(`parsePackedSample: expected JSON, got ${(error as Error).message} in ${where}`, {
      cause: error,
    });
  }
  checkPackedSample(sample, head, where);
  return sample;
}

/** Checks every field, before any of them meets a file or a native call. */
function checkPackedSample(sample: PackedSample, { scheme, dims }: PackedSetHead, where: string): void {
  const refuse = (rule: string, got: unknown): never => {
    const id = typeof sample?.id === 'string' ? sample.id : 'a sample';
    throw new Error(
      `parsePackedSet: ${rule}, got ${JSON.stringify(got)?.slice(0, 80)} for ${id} in ${where}`,
    );
  };
  if (sample === null || typeof sample !== 'object') refuse('a sample must be an object', sample);
  const { id, file, offset, length, width, height, landmarks, box, visible, occluded, yaw, provenance } =
    sample;
  if (typeof id !== 'string' || id === '') refuse('id must be a text', id);
  if (file !== undefined) {
    if (typeof file !== 'string') refuse('file must be a text', file);
    checkInnerPath('parsePackedSet', file!, where);
  } else if (!(isCount(offset) && isCount(length) && length > 0)) {
    refuse('offset and length must be whole numbers of bytes', [offset, length]);
  }
  for (const size of [width, height]) {
    if (size !== undefined && !(isCount(size) && size > 0)) refuse('width and height must be positive', size);
  }
  const expected = scheme.count * dims;
  if (!Array.isArray(landmarks) || landmarks.length !== expected || !landmarks.every(isCoordinate)) {
    const gaps = Array.isArray(landmarks) && landmarks.length === expected ? ' with gaps' : '';
    refuse(`expected ${expected} finite numbers per sample${gaps && ' without gaps'}`, landmarks?.length);
  }
  if (!(Array.isArray(box) && box.length === 4 && box.every(isCoordinate) && box[2] > 0 && box[3] > 0)) {
    refuse('box must be x, y and a positive width and height', box);
  }
  for (const flags of [visible, occluded]) {
    if (flags === undefined) continue;
    if (!(Array.isArray(flags) && flags.length === scheme.count && flags.every((v) => v === 0 || v === 1))) {
      refuse(`visible and occluded must be ${scheme.count} times 0 or 1`, flags);
    }
  }
  if (yaw !== undefined && !isCoordinate(yaw)) refuse('yaw must be a finite number of degrees', yaw);
  if (
    provenance !== undefined &&
    !(Array.isArray(provenance?.files) && Array.isArray(provenance.conversions))
  ) {
    refuse('provenance must list files and conversions', provenance);
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
/** Finite also as a 32-bit float. */
const isCoordinate = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(Math.fround(value));

/** The scheme of a packed set: the known one of that name, else the one stored in the set. */
export function schemeOfSet({ scheme }: PackedSet): LandmarkScheme {
  return Object.hasOwn(SCHEMES, scheme.name) ? SCHEMES[scheme.name] : scheme;
}

/** A packed sample's annotation. */
export function unpackSample(sample: PackedSample, set: PackedSet, scheme: LandmarkScheme): Annotation {
  const { id, landmarks, box, visible, occluded, upright, yaw, attributes, provenance } = sample;
  return {
    id,
    landmarks: { points: Float32Array.from(landmarks), dims: set.dims },
    scheme,
    box: { x: box[0], y: box[1], width: box[2], height: box[3] },
    ...(visible && { visible: Uint8Array.from(visible) }),
    ...(occluded && { occluded: Uint8Array.from(occluded) }),
    ...(upright === true && { upright }),
    ...(yaw !== undefined && { yaw }),
    ...(attributes && { attributes }),
    provenance: provenance ?? { dataset: set.name, files: ['set.json'], conversions: [] },
  };
}

/** What a decoded picture in a packed set begins with; width, height (32 bits each, little endian) and RGB bytes follow. */
const DECODED = new TextEncoder().encode('voxrgb01');
const HEAD_BYTES = DECODED.length + 8;

/** A picture as a packed set holds it decoded. @param image three channels. */
export function packPixels({ data, width, height }: Pixels): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + data.length);
  bytes.set(DECODED);
  const head = new DataView(bytes.buffer);
  head.setUint32(DECODED.length, width, true);
  head.setUint32(DECODED.length + 4, height, true);
  bytes.set(data, HEAD_BYTES);
  return bytes;
}

/**
 * The picture in bytes that `packPixels` made, without a copy; undefined when they are of an image file.
 * @param name what to call it in errors.
 * @throws Error when bytes are missing.
 */
export function viewPixels(bytes: Uint8Array, name: string): Pixels | undefined {
  if (DECODED.some((byte, i) => bytes[i] !== byte)) return undefined;
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] =
    bytes.length < HEAD_BYTES
      ? [0, 0]
      : [DECODED.length, DECODED.length + 4].map((at) => head.getUint32(at, true));
  if (width * height === 0 || bytes.length !== HEAD_BYTES + 3 * width * height) {
    throw new Error(
      `viewPixels: expected ${width} x ${height} pixels of 3 bytes, got ${bytes.length} bytes in ${name} (convert the set again)`,
    );
  }
  return { data: bytes.subarray(HEAD_BYTES), width, height, channels: 3 };
}
