import { areaUnderCurve, failureRate } from './cumulative-errors.ts';
import { findProtocol, type Protocol } from './protocols.ts';
import { type ScoredFace, scoreFace } from './score-face.ts';
import {
  type AngleBin,
  type ErrorSummary,
  summarizeByAngle,
  summarizeByYaw,
  summarizeErrors,
  type YawSummary,
} from './summarize-errors.ts';

/** Error of one image; null: no face was found in it. */
export interface ImageError {
  readonly id: string;
  readonly nme: number | null;
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
  readonly parts?: readonly string[];
}

/** What is said of a set, and of each named part of it; fractions. */
export interface EvaluationSummary {
  /** Images scored. */
  readonly count: number;
  /** Images in which no face was found: not in the mean, but failures, and zeros of the CED. */
  readonly missed: number;
  readonly nme: Pick<ErrorSummary, 'mean' | 'median' | 'std'>;
  /** Exact area under the CED up to `limit`, missed images included. */
  readonly auc: number;
  /** Share of all images above `limit` or missed. */
  readonly failureRate: number;
}

/** Result of a protocol on a set; all errors and shares are fractions. */
export interface Evaluation extends YawSummary, EvaluationSummary {
  readonly protocol: string;
  readonly limit: number;
  /** The protocol's named parts (300W: common and challenging; WFLW: its six) where the set holds several of them. */
  readonly subsets: readonly (EvaluationSummary & { readonly name: string })[];
  /** By pitch and by |roll|, where every face found has the angle; see `ANGLE_EDGES`. */
  readonly angles: readonly { readonly name: 'pitch' | 'roll'; readonly bins: readonly AngleBin[] }[];
  /** Sorted by id. */
  readonly perImage: readonly ImageError[];
}

/** Gathers the errors of a set, face by face or shard by shard. */
export interface Accumulator {
  /** Scores one face. */
  update(face: ScoredFace): void;
  /** Counts an image in which no face was found. */
  miss(id: string, yaw?: number, parts?: readonly string[]): void;
  /** Takes over what another accumulator of the same protocol has gathered (`state()` of it, also through JSON). */
  merge(state: AccumulatorState): void;
  /** The result; does not depend on the order of updates and merges. */
  compute(): Evaluation;
  reset(): void;
  state(): AccumulatorState;
}

/** Plain data, safe to keep in JSON. */
export interface AccumulatorState {
  readonly protocol: string;
  readonly images: readonly ImageError[];
}

/**
 * Creates an accumulator for a protocol or its name.
 * @throws RangeError from its functions: ids seen twice, degenerate faces (with the id), another protocol's state, an
 * empty set, yaw given for some faces only.
 * @example
 * ```js
 * import { createLandmarks, MEAN_FACE_68 } from '@voxface/landmarks';
 * import { createAccumulator } from '@voxface/metrics';
 *
 * const accumulator = createAccumulator('300w/box/68');
 * for (const [id, factor] of [['a', 1.01], ['b', 1.02]]) {
 *   const preds = createLandmarks(MEAN_FACE_68.points.map((value) => factor * value), 3);
 *   accumulator.update({ id, preds, target: MEAN_FACE_68 });
 * }
 * console.log(accumulator.compute().count); // => 2
 * ```
 */
export function createAccumulator(protocol: Protocol | string): Accumulator {
  const rules = typeof protocol === 'string' ? findProtocol(protocol) : protocol;
  const images = new Map<string, ImageError>();
  const add = (image: ImageError): void => {
    if (images.has(image.id)) {
      throw new RangeError(`${image.id}: ids must be unique, got this one twice (is a shard merged twice?)`);
    }
    images.set(image.id, image);
  };
  const record = (face: Partial<Omit<ImageError, 'nme'>>, nme: number | null): void => {
    const image: Record<string, unknown> = { nme };
    for (const key of ['id', 'yaw', 'pitch', 'roll', 'parts'] as const)
      if (face[key] !== undefined) image[key] = face[key];
    add(image as unknown as ImageError);
  };
  const sorted = (): ImageError[] =>
    [...images.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return {
    update: (face) => record(face, scoreFace(rules, face)),
    miss: (id, yaw, parts) => record({ id, yaw, parts }, null),
    merge(state) {
      if (state.protocol !== rules.name) {
        throw new RangeError(`Accumulator.merge: expected the protocol ${rules.name}, got ${state.protocol}`);
      }
      for (const image of state.images) add(image);
    },
    compute: () => evaluate(rules, sorted()),
    reset: () => images.clear(),
    state: () => ({ protocol: rules.name, images: sorted() }),
  };
}

function evaluate(protocol: Protocol, perImage: readonly ImageError[]): Evaluation {
  const found = perImage.filter((image): image is ImageError & { nme: number } => image.nme !== null);
  if (found.length === 0) {
    throw new RangeError(
      `Accumulator.compute: at least one face must be scored, got ${perImage.length} images, all missed`,
    );
  }
  const errors = found.map((image) => image.nme);
  return {
    protocol: protocol.name,
    ...summarize(perImage, protocol.limit),
    ...binByYaw(protocol, found, errors),
    limit: protocol.limit,
    subsets: summarizeSubsets(protocol, perImage),
    angles: (['pitch', 'roll'] as const).flatMap((name) => binByAngle(found, errors, name)),
    perImage,
  };
}

function summarize(images: readonly ImageError[], limit: number): EvaluationSummary {
  const errors = images.flatMap(({ nme }) => (nme === null ? [] : [nme]));
  const all = images.map(({ nme }) => nme ?? Infinity);
  const { count, ...nme } = summarizeErrors(errors);
  return {
    count,
    missed: images.length - count,
    nme,
    auc: areaUnderCurve(all, limit),
    failureRate: failureRate(all, limit),
  };
}

function summarizeSubsets(
  { subsets = [], limit }: Protocol,
  perImage: readonly ImageError[],
): Evaluation['subsets'] {
  const parts = subsets
    .map(({ name, ids }) => ({
      name,
      images: perImage.filter((image) => (ids ? ids.test(image.id) : image.parts?.includes(name))),
    }))
    .filter(({ images }) => images.some(({ nme }) => nme !== null));
  return parts.length < 2 ? [] : parts.map(({ name, images }) => ({ name, ...summarize(images, limit) }));
}

function binByYaw(protocol: Protocol, found: readonly ImageError[], errors: readonly number[]): YawSummary {
  const yaws = found.flatMap(({ yaw }) => yaw ?? []);
  if (!protocol.yawEdges || yaws.length === 0) return { bins: [], binMean: null, binStd: null };
  if (yaws.length < found.length) {
    const { id } = found.find(({ yaw }) => yaw === undefined)!;
    throw new RangeError(`${id}: yaw must be given for all faces or none, got none here`);
  }
  return summarizeByYaw(errors, yaws, protocol.yawEdges);
}

function binByAngle(
  found: readonly ImageError[],
  errors: readonly number[],
  name: 'pitch' | 'roll',
): Evaluation['angles'] {
  const angles = found.flatMap((image) => image[name] ?? []);
  return angles.length < found.length ? [] : [{ name, bins: summarizeByAngle(errors, angles, name) }];
}

/**
 * Scores a set of faces by a protocol: `createAccumulator`, `update` for each face, `compute`.
 * @param protocol a protocol or its name, see `PROTOCOLS`.
 * @throws RangeError with the face's id for degenerate input, and for an empty set.
 * @example
 * ```js
 * import { createLandmarks, MEAN_FACE_68 } from '@voxface/landmarks';
 * import { evaluateProtocol } from '@voxface/metrics';
 *
 * const preds = createLandmarks(MEAN_FACE_68.points.map((value) => 1.01 * value), 3);
 * const { nme } = evaluateProtocol('300w/box/68', [{ id: 'a', preds, target: MEAN_FACE_68 }]);
 * console.log(nme.mean < 0.01); // => true
 * ```
 */
export function evaluateProtocol(protocol: Protocol | string, faces: Iterable<ScoredFace>): Evaluation {
  const accumulator = createAccumulator(protocol);
  for (const face of faces) accumulator.update(face);
  return accumulator.compute();
}
