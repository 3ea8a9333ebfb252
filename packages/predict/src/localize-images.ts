import {
  type Box,
  boxOf,
  boxOverlap,
  type HeadPose,
  type Landmarks,
  type Pixels,
  withDefaults,
} from '@voxface/landmarks';
import type { Confidence } from './confidence.ts';
import type { DetectedFace, FaceDetector } from './detector.ts';
import { type ImageSource, toPixels } from './image-source.ts';
import type { FaceShape, Predictor } from './predictor.ts';

/** A face of a picture: where the detector (or the caller) saw it, its shape, and how sure it is. */
export interface LocatedFace extends Partial<Confidence> {
  /** Landmark-like box in image pixels. */
  readonly box: Box;
  /** Confidence of the detector; 1 for a given box. */
  readonly score: number;
  /** [n, 3] in image pixels; z in pixels with zero mean, positive away from the camera. */
  readonly landmarks: Landmarks<3>;
  readonly pose: HeadPose;
}

/** What came of one picture. */
export type LocatedImage<S> =
  | {
      readonly source: S;
      readonly image: Pixels;
      readonly faces: readonly LocatedFace[];
      readonly error?: undefined;
    }
  | { readonly source: S; readonly error: Error };

export interface LocalizeImagesOptions<S> {
  /** Reads a picture; called for a few pictures ahead. Pixels, tensors and drawables read themselves. */
  read: (source: S) => Promise<ImageSource> | ImageSource;
  predictor: Predictor;
  /** Finds faces where `boxes` has none. */
  detector?: FaceDetector;
  /** Known face boxes of a picture; undefined leaves it to the detector. */
  boxes?: (source: S) => readonly Box[] | undefined;
  /**
   * Detected faces whose confidence is lower are left out as no faces, where the model tells confidences; faces whose boxes were
   * given are always there.
   * @default 0.1
   */
  minConfidence?: number;
  /** Pictures that are read ahead of the one that is looked at. @default 3 */
  ahead?: number;
  /** Pictures whose faces go through the networks together, at most. @default 8 */
  together?: number;
}

export const LOCALIZE_IMAGES_DEFAULTS: { minConfidence: number; ahead: number; together: number } = {
  minConfidence: 0.1,
  ahead: 3,
  together: 8,
};

interface Seen<S> {
  readonly source: S;
  readonly image: Pixels;
  readonly found: readonly DetectedFace[];
  /** Whether the boxes were given. */
  readonly isGiven: boolean;
}

/**
 * Landmarks of every face of many pictures: reading, detection and prediction side by side, faces of several
 * pictures in one batch. At most `ahead + together` pictures are in memory. Results come in the order of the
 * sources; a picture that fails is reported in its place and the others are still done.
 * @throws RangeError when neither detector nor boxes are given.
 * @example
 * ```js
 * import { boxOf, cropAffine, MEAN_FACE_68, toUnit } from '@voxface/landmarks';
 * import { createCropPredictor, localizeImages } from '@voxface/predict';
 *
 * const { points } = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));
 * const run = async (crops) => crops.flatMap(() => [...points]);
 * const predictor = createCropPredictor({ inputSize: 64, landmarks: 68, scheme: 'ibug-68', run });
 * const read = async () => ({ data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 });
 * const boxes = () => [{ x: 100, y: 60, width: 100, height: 100 }];
 * for await (const { source, faces } of localizeImages(['a', 'b'], { read, predictor, boxes })) {
 *   console.log(source, faces.length); // => a 1
 * }
 * ```
 */
export async function* localizeImages<S>(
  sources: Iterable<S>,
  options: LocalizeImagesOptions<S>,
): AsyncGenerator<LocatedImage<S>> {
  const { read, predictor, detector, boxes, minConfidence, ahead, together } = withDefaults(
    LOCALIZE_IMAGES_DEFAULTS,
    options,
  );
  if (detector === undefined && boxes === undefined) {
    throw new RangeError('localizeImages: expected a detector or boxes, got neither');
  }
  if (!(ahead >= 0 && together >= 1)) {
    throw new RangeError(`localizeImages: expected ahead >= 0 and together >= 1, got ${ahead}, ${together}`);
  }
  const look = async (source: S, image: Pixels): Promise<Seen<S>> => {
    const known = boxes?.(source)?.map((box) => ({ box, score: 1 }));
    const found = known ?? (await detector?.detect(image)) ?? [];
    return { source, image, found, isGiven: known !== undefined };
  };
  let waiting: (Seen<S> | { source: S; error: Error })[] = [];
  for await (const { source, image } of readAhead(sources, read, ahead)) {
    try {
      waiting.push(await look(source, unwrap(image)));
    } catch (error) {
      waiting.push({ source, error: asError(error) });
    }
    if (waiting.length >= together) {
      yield* await predictAll(predictor, waiting, minConfidence);
      waiting = [];
    }
  }
  yield* await predictAll(predictor, waiting, minConfidence);
}

type Settled<T> = { value: T } | { error: Error };

/** Pictures in order, `ahead` reads under way beside the one that is handed out. */
async function* readAhead<S>(
  sources: Iterable<S>,
  read: LocalizeImagesOptions<S>['read'],
  ahead: number,
): AsyncGenerator<{ source: S; image: Settled<Pixels> }> {
  const open = async (source: S): Promise<Settled<Pixels>> => {
    try {
      return { value: await toPixels(await read(source)) };
    } catch (error) {
      return { error: asError(error) };
    }
  };
  const queue: { source: S; image: Promise<Settled<Pixels>> }[] = [];
  for (const source of sources) {
    queue.push({ source, image: open(source) });
    if (queue.length <= ahead) continue;
    const next = queue.shift()!;
    yield { source: next.source, image: await next.image };
  }
  for (const { source, image } of queue) yield { source, image: await image };
}

/** One batch over all pictures; where it fails, picture by picture, so that only the guilty one is reported. */
async function predictAll<S>(
  predictor: Predictor,
  pictures: readonly (Seen<S> | { source: S; error: Error })[],
  minConfidence: number,
): Promise<LocatedImage<S>[]> {
  const seen = pictures.filter((picture): picture is Seen<S> => !('error' in picture));
  const requests = seen.flatMap(({ image, found }) => found.map(({ box, turn }) => ({ image, box, turn })));
  try {
    const shapes = requests.length > 0 ? await predictor.predictBatch(requests) : [];
    let next = 0;
    return pictures.map((picture) => {
      if ('error' in picture) return picture;
      const own = shapes.slice(next, next + picture.found.length);
      next += picture.found.length;
      const all = joinFaces(picture.found, own);
      const faces = picture.isGiven ? all : keepFaces(all, minConfidence);
      return { source: picture.source, image: picture.image, faces };
    });
  } catch (error) {
    if (pictures.length === 1) return [{ source: pictures[0].source, error: asError(error) }];
    const single: LocatedImage<S>[] = [];
    for (const picture of pictures) single.push(...(await predictAll(predictor, [picture], minConfidence)));
    return single;
  }
}

function joinFaces(found: readonly DetectedFace[], shapes: readonly FaceShape[]): LocatedFace[] {
  return found.map(({ box, score }, i) => ({ ...shapes[i], box, score }));
}

/** Faces whose landmarks share more than this are one, seen in two boxes: as an upright one and in a quarter turn, say. */
const ONE_FACE = 0.6;
/** A face that shares more than this with one that is surer by more than the factor is a wrong answer for the same face. */
const WRONG_ANSWER = { share: 0.25, factor: 0.7 };

/** What of a detector's faces are faces, each once. */
function keepFaces(found: readonly LocatedFace[], minConfidence: number): LocatedFace[] {
  const faces = found.filter(({ confidence = 1 }) => confidence >= minConfidence);
  const boxes = faces.map(({ landmarks }) => boxOf(landmarks));
  const worth = faces.map(({ score, confidence = 1 }) => score * confidence);
  const isDouble = (a: number, b: number): boolean => {
    if (worth[a] > worth[b] || (worth[a] === worth[b] && a < b)) return false;
    const share = boxOverlap(boxes[a], boxes[b]);
    const { factor } = WRONG_ANSWER;
    return share > ONE_FACE || (share > WRONG_ANSWER.share && worth[a] < factor * worth[b]);
  };
  return faces.filter((_, i) => !faces.some((_, k) => k !== i && isDouble(i, k)));
}

function unwrap<T>(settled: Settled<T>): T {
  if ('error' in settled) throw settled.error;
  return settled.value;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
