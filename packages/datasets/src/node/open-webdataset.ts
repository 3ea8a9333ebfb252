import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type Box,
  boxOf,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
  SCHEMES,
  withDefaults,
} from '@voxface/landmarks';
import { parsePts } from '../parse-pts.ts';
import {
  checkBox,
  checkInnerPath,
  checkShape,
  collectProblems,
  createRecordDataset,
  maskMissing,
  type ProblemHandler,
  uniqueIds,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { readPart } from './open-packed-set.ts';
import { decodeImage, IMAGE_EXTENSIONS, listFiles } from './read-image.ts';
import { parseNpy } from './read-npy.ts';
import { expandBraces, isTarPath, readTar, type TarMember } from './read-tar.ts';

export interface WebDatasetOptions {
  /** @default 'webdataset' */
  name?: string;
  /** Of the points, where no sample's JSON names a known `scheme`. */
  scheme?: LandmarkScheme;
  /** Largest file of a sample, bytes: a header of 512 bytes can promise anything. @default 2 ** 28 */
  maxBytes?: number;
  /** Called for each sample and end of a shard that is left out. @default the first broken one throws */
  onProblem?: ProblemHandler;
}

export const WEBDATASET_DEFAULTS: Required<Omit<WebDatasetOptions, 'onProblem' | 'scheme'>> = {
  name: 'webdataset',
  maxBytes: 2 ** 28,
};

/**
 * Opens tar files in WebDataset's layout: files of one sample follow each other and share their name up to the first dot, `KEY.jpg` (`.png`,
 * `.webp`, ...) with its landmarks in `KEY.json`, `KEY.pts` or `KEY.npy`. Every header and annotation is read once; pictures are read by
 * their place in the tar, which is not unpacked. Nothing of a name is taken but the key, and links are not followed.
 *
 * `.pts` counts pixels from 1, as everywhere. `.npy` is [n, 2] or [n, 3] (or flat), 0-based, z away from the camera. JSON is an object with
 * `landmarks`, `points` or `keypoints`: pairs or triples, 0-based, or flat; flat `keypoints` of 3 n are COCO's x, y, v. `box` or `bbox`
 * ([x, y, width, height]), `visible` ([n] of 0 and 1), `yaw` and plain values (which become `attributes`) may stand beside them.
 * @param target a `.tar`, a folder of them, or a path with ranges in braces (`faces-{000..009}.tar`).
 * @throws Error when a shard is missing, damaged or packed (`.tar.gz`), or no sample is whole.
 */
export async function openWebDataset(target: string, options: WebDatasetOptions = {}): Promise<Dataset> {
  const { name, maxBytes } = withDefaults(WEBDATASET_DEFAULTS, options);
  const { problems, report } = collectProblems(options.onProblem);
  const found: FoundSample[] = [];
  for (const file of await listShards(target)) {
    try {
      for await (const sample of readSamples(file, maxBytes)) {
        try {
          found.push(await readSample(sample, file, options.scheme));
        } catch (error) {
          report({ id: sample.key, error: error as Error });
        }
      }
    } catch (error) {
      // What lies before the damage stays.
      if (!options.onProblem) throw error;
      report({ id: path.basename(file), error: error as Error });
    }
  }
  const { records, dims, scheme } = keepCommon(found, report);
  const ids = uniqueIds(records.map(({ key }) => key));
  const dataset = createRecordDataset({
    name,
    scheme,
    dims,
    ids,
    async annotate(index) {
      const record = records[index];
      return { ...annotate(await readAnnotation(record), record, name, scheme), id: ids[index] };
    },
    readImage: async (index) => readMember(records[index].file, records[index].image),
    decode: decodeImage,
    problems,
  });
  const isFirst = ({ file }: FoundSample, i: number): boolean => file !== records[i - 1]?.file;
  return { ...dataset, shards: records.flatMap((record, i) => (isFirst(record, i) ? [i] : [])) };
}

/** Where a sample's picture and its annotation lie. */
interface SampleFiles {
  readonly file: string;
  readonly key: string;
  readonly image: TarMember;
  readonly annotation: TarMember;
}

interface FoundSample extends SampleFiles {
  readonly dims: 2 | 3;
  readonly scheme: LandmarkScheme;
}

/** Checks a sample's names, and its landmarks in the first of its files that holds some. */
async function readSample(
  sample: TarSample,
  file: string,
  given: LandmarkScheme | undefined,
): Promise<FoundSample> {
  const { key, image, annotations } = partsOf(sample, file);
  let reason: unknown;
  for (const annotation of annotations) {
    try {
      const files = { file, key, image, annotation };
      const read = await readAnnotation(files);
      const scheme = schemeFor(read, given);
      checkShape(annotate(read, files, '', scheme).landmarks, scheme, `${annotation.name} of ${file}`);
      return { ...files, dims: read.landmarks.dims, scheme };
    } catch (error) {
      reason ??= error;
    }
  }
  throw reason;
}

/** Samples of the dimensions and scheme that most have: a stray one does not decide. */
function keepCommon(
  found: readonly FoundSample[],
  report: ProblemHandler,
): { records: FoundSample[]; dims: 2 | 3; scheme: LandmarkScheme } {
  const kindOf = ({ dims, scheme }: FoundSample): string => `${dims} dimensions of ${scheme.name}`;
  const counts = new Map<string, number>();
  for (const sample of found) counts.set(kindOf(sample), (counts.get(kindOf(sample)) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  const common = found.find((sample) => counts.get(kindOf(sample)) === most);
  const records: FoundSample[] = [];
  for (const sample of found) {
    if (kindOf(sample) === kindOf(common!)) records.push(sample);
    else {
      const error = new Error(
        `openWebDataset: all samples must have the ${kindOf(common!)} that most have, got ${kindOf(sample)} in ${sample.annotation.name} of ${sample.file}`,
      );
      report({ id: sample.key, error });
    }
  }
  return { records, dims: common?.dims ?? 2, scheme: common?.scheme ?? IBUG_68 };
}

async function listShards(target: string): Promise<string[]> {
  if (isTarPath(target)) {
    const files = expandBraces(target);
    for (const file of files) {
      if (!(await stat(file).catch(() => undefined))?.isFile()) {
        throw new Error(`openWebDataset: expected the shard ${file}, got no such file`);
      }
    }
    return files;
  }
  const inside = await listFiles(target);
  const files = inside.filter(isTarPath);
  const packed = inside.find((file) => /\.(tar\.\w+|tgz|tbz2?|txz)$/i.test(file));
  if (files.length === 0) {
    throw new Error(
      `openWebDataset: expected .tar files, got ${packed ? `${packed}, which is packed (unpack it: gunzip)` : 'none'} in ${target}`,
    );
  }
  return files.map((file) => path.join(target, file));
}

interface TarSample {
  readonly key: string;
  readonly members: readonly TarMember[];
}

/** Files of a tar that follow each other with one key. */
async function* readSamples(file: string, maxBytes: number): AsyncGenerator<TarSample> {
  let [key, members]: [string | undefined, TarMember[]] = [undefined, []];
  let damage: unknown;
  const tar = readTar(file, maxBytes);
  try {
    for (;;) {
      const next = await tar.next().catch((error: unknown) => {
        damage = error;
        return undefined;
      });
      if (next === undefined || next.done) break;
      const member = next.value;
      const base = member.name.slice(member.name.lastIndexOf('/') + 1);
      // What archives of macOS leave behind, and files without a key.
      if (base.startsWith('.') || /(^|\/)__MACOSX\//.test(member.name)) continue;
      const own = member.name.slice(0, -base.length) + base.replace(/\.[\s\S]*/, '');
      if (key !== undefined && own !== key) {
        yield { key, members };
        members = [];
      }
      key = own;
      members.push(member);
    }
    if (key !== undefined) yield { key, members };
  } finally {
    // Closes the file where nobody wants more.
    await tar.return(undefined);
  }
  if (damage !== undefined) throw damage;
}

/** The picture, and the files that may hold the landmarks: those named so first. */
function partsOf(
  { key, members }: TarSample,
  file: string,
): { key: string; image: TarMember; annotations: TarMember[] } {
  checkInnerPath('openWebDataset', key, file);
  const ending = ({ name }: TarMember): string => path.extname(name).toLowerCase();
  const image = members.find((member) => IMAGE_EXTENSIONS.includes(ending(member)));
  const rank = (member: TarMember): number =>
    (/landmark|keypoint|point/i.test(member.name) ? 0 : 3) +
    ['.pts', '.json', '.npy'].indexOf(ending(member));
  const annotations = members
    .filter((member) => ['.pts', '.json', '.npy'].includes(ending(member)))
    .sort((a, b) => rank(a) - rank(b));
  if (image === undefined || annotations.length === 0) {
    const names = members.map(({ name }) => name).join(', ');
    throw new Error(
      `openWebDataset: a sample is a picture and a .json, .pts or .npy that follow each other, got ${names.slice(0, 200)} in ${file}`,
    );
  }
  return { key, image, annotations };
}

function readMember(file: string, { offset, size }: TarMember): Promise<Uint8Array> {
  return readPart('openWebDataset', file, offset, size);
}

/** What an annotation says, before it is known what the others say. */
interface ReadAnnotation {
  readonly landmarks: Landmarks;
  readonly origin: number;
  readonly box?: Box;
  readonly visible?: Uint8Array;
  readonly yaw?: number;
  readonly scheme?: string;
  readonly attributes?: Readonly<Record<string, boolean | number | string>>;
}

/** Bytes. */
const MAX_ANNOTATION = 2 ** 20;

async function readAnnotation({ file, annotation }: SampleFiles): Promise<ReadAnnotation> {
  const where = `${annotation.name} of ${file}`;
  if (annotation.size > MAX_ANNOTATION) {
    throw new Error(
      `openWebDataset: an annotation takes at most ${MAX_ANNOTATION} bytes, got ${annotation.size} in ${where}`,
    );
  }
  const bytes = await readMember(file, annotation);
  const ending = path.extname(annotation.name).toLowerCase();
  if (ending === '.pts') {
    const { points, dims } = parsePts(new TextDecoder().decode(bytes));
    return {
      landmarks: { points: points.map((value, i) => value - (dims === 3 && i % 3 === 2 ? 0 : 1)), dims },
      origin: 1,
    };
  }
  if (ending === '.npy') {
    const { shape, data } = parseNpy(bytes, where);
    const inner =
      shape.length > 1 ? shape[shape.length - 1] : data.length % 3 === 0 && data.length % 2 !== 0 ? 3 : 2;
    return { landmarks: shapeOf(Array.from(data), inner, where), origin: 0 };
  }
  return readJson(new TextDecoder().decode(bytes), where);
}

const KNOWN = new Set(['landmarks', 'points', 'keypoints', 'box', 'bbox', 'visible', 'yaw', 'scheme', 'id']);

function readJson(text: string, where: string): ReadAnnotation {
  let value: { [field: string]: unknown };
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`openWebDataset: expected JSON, got ${(error as Error).message} in ${where}`, {
      cause: error,
    });
  }
  const field = ['landmarks', 'points', 'keypoints'].find((name) => Array.isArray(value?.[name]));
  if (field === undefined) {
    const got =
      value !== null && typeof value === 'object'
        ? Object.keys(value).slice(0, 8).join(', ')
        : text.slice(0, 40);
    throw new Error(
      `openWebDataset: expected a list named landmarks, points or keypoints, got ${got || 'nothing'} in ${where}`,
    );
  }
  const rows = value[field] as unknown[];
  const isFlat = rows.every((row) => typeof row === 'number');
  const numbers = rows.flat() as number[];
  const isCoco =
    field === 'keypoints' &&
    isFlat &&
    numbers.length % 3 === 0 &&
    numbers.every((v, i) => i % 3 !== 2 || [0, 1, 2].includes(v));
  const { box = value.bbox, yaw, scheme, visible } = value as { [name: string]: never };
  const flags = isCoco
    ? numbers.filter((_, i) => i % 3 === 2).map((v) => Number(v > 0))
    : (visible as number[] | undefined);
  const landmarks = isCoco
    ? shapeOf(
        numbers.filter((_, i) => i % 3 !== 2),
        2,
        where,
      )
    : shapeOf(
        numbers,
        isFlat ? flatDims(numbers.length, flags?.length) : (rows[0] as number[])?.length,
        where,
      );
  const n = landmarks.points.length / landmarks.dims;
  if (
    flags !== undefined &&
    !(
      Array.isArray(flags) &&
      flags.length === n &&
      flags.every((v) => v === 0 || v === 1 || typeof v === 'boolean')
    )
  ) {
    throw new Error(
      `openWebDataset: visible must be ${n} times 0 or 1, got ${JSON.stringify(flags)?.slice(0, 60)} in ${where}`,
    );
  }
  if (yaw !== undefined && !Number.isFinite(yaw)) {
    throw new Error(
      `openWebDataset: yaw must be a number of degrees, got ${JSON.stringify(yaw)} in ${where}`,
    );
  }
  const attributes = Object.fromEntries(
    Object.entries(value).filter(
      ([name, v]) => !KNOWN.has(name) && ['boolean', 'number', 'string'].includes(typeof v),
    ),
  ) as { [name: string]: boolean | number | string };
  return {
    landmarks,
    origin: 0,
    ...(box !== undefined && { box: readBox(box, where) }),
    ...(flags?.some((v) => !v) && { visible: Uint8Array.from(flags, Number) }),
    ...(yaw !== undefined && { yaw }),
    ...(typeof scheme === 'string' && { scheme }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

/** Flat numbers are pairs where they can be of a known scheme, else triples. */
function flatDims(length: number, points: number | undefined): number {
  if (points) return length / points;
  const counts = new Set(Object.values(SCHEMES).map(({ count }) => count));
  return counts.has(length / 2) || !counts.has(length / 3) ? 2 : 3;
}

function readBox(box: unknown, where: string): Box {
  const [x, y, width, height] = Array.isArray(box) && box.length === 4 ? (box as number[]) : [];
  return checkBox({ x, y, width, height }, where);
}

function shapeOf(numbers: readonly number[], dims: number, where: string): Landmarks {
  const fine = (dims === 2 || dims === 3) && numbers.length % dims === 0 && numbers.length > 0;
  if (!fine) {
    throw new Error(
      `openWebDataset: landmarks are [n, 2] or [n, 3], got ${numbers.length} numbers in rows of ${dims} in ${where}`,
    );
  }
  const bad = numbers.find((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)));
  if (bad !== undefined) {
    throw new Error(
      `openWebDataset: landmarks must be finite numbers, got ${JSON.stringify(bad)} in ${where}`,
    );
  }
  return { points: Float32Array.from(numbers), dims: dims as 2 | 3 };
}

function schemeFor({ scheme }: ReadAnnotation, given: LandmarkScheme | undefined): LandmarkScheme {
  return given ?? (scheme !== undefined && Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : IBUG_68);
}

function annotate(
  read: ReadAnnotation,
  record: SampleFiles,
  dataset: string,
  scheme: LandmarkScheme,
): Annotation {
  const { landmarks, origin, box, visible, yaw, attributes } = read;
  const masked =
    visible && landmarks.dims === 2
      ? maskMissing(landmarks.points, 0, visible)
      : { landmarks, box: boxOf(landmarks) };
  return {
    id: record.key,
    landmarks: masked.landmarks,
    scheme,
    box: box ?? masked.box,
    ...(visible && { visible }),
    ...(yaw !== undefined && { yaw }),
    ...(attributes && { attributes }),
    provenance: {
      dataset,
      files: [path.basename(record.file), record.image.name, record.annotation.name],
      conversions: origin === 0 ? [] : ['1-based to 0-based: x - 1, y - 1'],
    },
  };
}
