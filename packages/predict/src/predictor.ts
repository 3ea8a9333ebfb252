import {
  type Affine,
  type Box,
  boxOf,
  boxOverlap,
  CROP_DEFAULTS,
  composeAffine,
  cropAffine,
  flipLandmarks,
  fromUnit,
  type HeadPose,
  headPose,
  type Landmarks,
  type Pixels,
  SCHEMES,
  withDefaults,
} from '@voxface/landmarks';
import {
  type Confidence,
  type ConfidenceCalibration,
  estimateConfidence,
  type VolumeSize,
} from './confidence.ts';
import { CROP_VARIANTS, cropUpright, mirrorCrop } from './crops.ts';
import { type FaceRequest, type ImageSource, readImages } from './image-source.ts';
import { angleBetween, turnedBox, turnInPlane, uprightCrop } from './upright-pass.ts';

/** A face found in a picture, with its probabilities where the model has a confidence calibration. */
export interface FaceShape extends Partial<Confidence> {
  /** [n, 3] in image pixels; z in pixels with zero mean, positive away from the camera. */
  readonly landmarks: Landmarks<3>;
  /** Degrees; NaN when the scheme has no head pose or the landmarks form no face. */
  readonly pose: HeadPose;
  /** The box that the last crop was cut around. */
  readonly box: Box;
}

/** Options of a predictor. */
export interface PredictorOptions {
  /** Averages with the prediction of the mirrored crop: twice the work, less error. @default false */
  flip?: boolean;
  /**
   * Averages over that many crops of every face, 1 to 9, turned by up to 12 degrees and made up to 8 % narrower or wider: that many times
   * the work, less error. Confidences are those of the plain crop.
   * @default 1
   */
  crops?: number;
  /**
   * Predicts again around the first landmarks. A number: only where their box shares less than this with the given one
   * (intersection over union), which costs nothing where boxes are good; true: every face, twice the work; false: never.
   * @default 0.8
   */
  refine?: boolean | number;
  /**
   * Heads whose first landmarks lie turned in the picture's plane by more than this many degrees are cut again along the head's axis
   * and predicted again, until they stand upright (three times at most); false: never. Upright heads cost nothing more.
   * @default 20
   */
  upright?: number | false;
  /**
   * A face whose confidence is below this is looked at again in three more quarter turns, and if it stays below in four wider crops
   * and around their landmarks; the most confident answer is taken, one that turns the head around only if it is
   * surer by 0.1 and its odds are 50 times as good. False: never. Needs a model with a confidence calibration; faces that it is sure of cost nothing more.
   * @default 0.7
   */
  quarterTurns?: number | false;
  /** Whether to tell confidences, where the model has a calibration. @default true */
  confidence?: boolean;
  /** Crops that go through the networks at once. @default 8 */
  batchSize?: number;
}

/** One pass where the head stands upright, eight crops at a time. */
export const PREDICTOR_DEFAULTS: Required<PredictorOptions> = {
  flip: false,
  crops: 1,
  refine: 0.8,
  upright: 20,
  quarterTurns: 0.7,
  confidence: true,
  batchSize: 8,
};

const UPRIGHT_PASSES = 3;
/** Landmarks of a head that was turned farther than this, in degrees, are too rough to cut the last crop around. */
const FAR_TURN = 60;
/**
 * An answer that turns a head around must be surer by this, and its odds so many times as good: one head in fifty or so does not stand
 * upright in its box. Chosen on 441 faces in daylight and in the dark, each in four quarter turns (docs/training-log.md).
 */
const TURN_MARGIN = 0.1;
const TURN_ODDS = 50;
/** What another look finds is the face that was asked for where its landmarks' box shares this with the given one. */
const SAME_FACE = 0.25;
/** Looks at doubtful faces until they are not: how far the crop is turned, in degrees, and how much wider it is. */
const QUARTER_LOOKS = [
  { turns: [90, 180, -90], widen: 1 },
  { turns: [0, 90, 180, -90], widen: 1.3 },
] as const;
/** Finds landmarks in pictures. Boxes are tight boxes of the landmarks, as the detectors of this package give. */
export interface Predictor {
  /** Side of the crops in pixels. */
  readonly inputSize: number;
  /** Landmarks of one face. */
  predict(image: ImageSource, box: Box, turn?: number): Promise<FaceShape>;
  /** Landmarks of many faces, of one picture or several; in the order given. */
  predictBatch(items: readonly FaceRequest[]): Promise<FaceShape[]>;
  /** Landmarks in crop unit space of crops that are already cut: RGB bytes [size, size, 3] each. */
  predictUnit(crops: readonly Uint8Array[]): Promise<Landmarks<3>[]>;
  /** Ends the predictor; later calls throw. What it was made from stays alive. */
  dispose(): void;
}

/** The part of a predictor that knows how to run networks. */
export interface CropRunner {
  /** Side of the crops in pixels. */
  readonly inputSize: number;
  /** Number of landmarks n. */
  readonly landmarks: number;
  /** Name of the landmark scheme. */
  readonly scheme: string;
  /** Crops of RGB bytes [size, size, 3] -> coordinates [b, n, 3] in crop unit space. */
  run(crops: readonly Uint8Array[]): Promise<ArrayLike<number>>;
  /** What the probabilities of faces and landmarks take; absent, predictors tell none. */
  readonly confidence?: RunnerConfidence;
  /** Frees what the runner keeps between calls. */
  dispose?(): void;
}

/** The volumes behind the coordinates, and how to judge them. */
export interface RunnerConfidence {
  readonly calibration: ConfidenceCalibration;
  /** Size of the last volume. */
  readonly size: VolumeSize;
  /** As `run`, with the last volume of each crop: [b, h, w, d, c]. */
  run(
    crops: readonly Uint8Array[],
  ): Promise<{ readonly points: ArrayLike<number>; readonly volumes: Float32Array }>;
}

/** Landmarks of one crop, and what the volume says of them. */
interface CropShape {
  readonly landmarks: Landmarks<3>;
  readonly confidence?: Confidence;
}

/**
 * Builds a predictor around anything that turns crops into coordinates: cuts crops by the one crop rule, mirrors,
 * batches, refines, turns heads upright, judges, and maps the result back to image pixels.
 * @throws RangeError when flip averaging is asked for a scheme without known mirror pairs.
 * @example
 * ```js
 * import { boxOf, cropAffine, MEAN_FACE_68, toUnit } from '@voxface/landmarks';
 * import { createCropPredictor } from '@voxface/predict';
 *
 * // A runtime that sees the same face in every crop.
 * const { points } = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));
 * const run = async (crops) => crops.flatMap(() => [...points]);
 * const predictor = createCropPredictor({ inputSize: 64, landmarks: 68, scheme: 'ibug-68', run });
 * const image = { data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 };
 * const { landmarks } = await predictor.predict(image, { x: 100, y: 60, width: 100, height: 100 });
 * console.log(landmarks.points.length); // => 204
 * ```
 */
export function createCropPredictor(runner: CropRunner, options: PredictorOptions = {}): Predictor {
  const settings = withDefaults(PREDICTOR_DEFAULTS, options);
  const { flip, refine, upright, quarterTurns, confidence, batchSize } = settings;
  const { inputSize, landmarks: count } = runner;
  const scheme = Object.hasOwn(SCHEMES, runner.scheme) ? SCHEMES[runner.scheme] : undefined;
  if (flip && scheme === undefined) {
    throw new RangeError(
      `createPredictor: flip needs a scheme with mirror pairs, got '${runner.scheme}' (leave flip off)`,
    );
  }
  if (typeof refine === 'number' && !(refine >= 0 && refine <= 1))
    throw new RangeError(`createPredictor: refine must be a share in 0..1 or a boolean, got ${refine}`);
  if (!(batchSize >= 1))
    throw new RangeError(`createPredictor: batchSize must be at least 1, got ${batchSize}`);
  if (!Number.isInteger(settings.crops) || settings.crops < 1 || settings.crops > CROP_VARIANTS.length) {
    throw new RangeError(
      `createPredictor: crops must be a whole number in 1..${CROP_VARIANTS.length}, got ${settings.crops}`,
    );
  }
  const variants = CROP_VARIANTS.slice(0, settings.crops);
  if (upright !== false && !(upright > 0 && upright <= 180)) {
    throw new RangeError(
      `createPredictor: upright must be degrees in 0..180, above 0, or false, got ${upright}`,
    );
  }
  let alive = true;

  const judge = confidence ? runner.confidence : undefined;

  async function runCrops(crops: readonly Uint8Array[]): Promise<CropShape[]> {
    if (!alive) throw new Error('predict: this predictor was disposed (create another)');
    const shapes: CropShape[] = [];
    const perRun = Math.max(1, Math.floor(flip ? batchSize / 2 : batchSize));
    for (let start = 0; start < crops.length; start += perRun) {
      const batch = crops.slice(start, start + perRun);
      const mirrored = flip ? batch.map((crop) => mirrorCrop(crop, inputSize)) : [];
      const all = [...batch, ...mirrored];
      const { points, volumes } = judge
        ? await judge.run(all)
        : { points: await runner.run(all), volumes: undefined };
      const shapeAt = (i: number): Landmarks<3> => {
        const own = Float32Array.from({ length: 3 * count }, (_, k) => points[3 * count * i + k]);
        const broken = own.findIndex((value) => !Number.isFinite(value));
        if (broken < 0) return { points: own, dims: 3 };
        throw new Error(
          `predict: landmarks must be finite, got ${own[broken]} at landmark ${Math.floor(broken / 3)} (is the model's file damaged?)`,
        );
      };
      batch.forEach((_, i) => {
        const own = shapeAt(i);
        const landmarks = flip ? meanShape([own, flipLandmarks(shapeAt(batch.length + i), scheme!, 1)]) : own;
        const length = (volumes?.length ?? 0) / all.length;
        const volume = volumes?.subarray(i * length, (i + 1) * length);
        const found = judge && volume && estimateConfidence(volume, judge.size, landmarks, judge.calibration);
        shapes.push({ landmarks, ...(found && { confidence: found }) });
      });
    }
    return shapes;
  }

  async function predictOnce(images: readonly Pixels[], affines: readonly Affine[]): Promise<CropShape[]> {
    const varied = affines.flatMap((affine) => variants.map((change) => composeAffine(change, affine)));
    const crops = varied.map((affine, k) =>
      cropUpright(images[Math.floor(k / variants.length)], affine, inputSize),
    );
    const found = await runCrops(crops);
    return affines.map((_, i) => {
      const first = i * variants.length;
      const shapes = variants.map((_, k) => fromUnit(found[first + k].landmarks, varied[first + k]));
      return { ...found[first], landmarks: shapes.length > 1 ? meanShape(shapes) : shapes[0] };
    });
  }

  /**
   * Replaces the shapes of turned heads by those from crops along their axes.
   * @param start turns of the crops that the shapes come from, degrees.
   */
  async function turnUpright(
    images: readonly Pixels[],
    shapes: CropShape[],
    limit: number,
    start: readonly number[],
  ): Promise<void> {
    const turns = [...start];
    const moved = new Float64Array(shapes.length);
    let turned = [...shapes.keys()];
    for (let pass = 0; pass < UPRIGHT_PASSES; pass++) {
      const found = shapes.map(({ landmarks }) => turnInPlane(landmarks));
      turned = turned.filter((i) => angleBetween(found[i], turns[i]) > limit || moved[i] > FAR_TURN);
      if (turned.length === 0) return;
      for (const i of turned) {
        moved[i] = angleBetween(found[i], turns[i]);
        turns[i] = found[i];
      }
      const again = await predictOnce(
        turned.map((i) => images[i]),
        turned.map((i) => uprightCrop(shapes[i].landmarks, turns[i])),
      );
      turned.forEach((i, k) => {
        shapes[i] = again[k];
      });
    }
  }

  /**
   * Looks at doubtful faces from the three other sides and keeps the most confident answers. What stays doubtful may have the box of
   * a detector that took a turned head for an upright one: it is looked at in wider crops where its face would be then, and again
   * around what they show.
   */
  async function tryQuarterTurns(
    images: readonly Pixels[],
    shapes: CropShape[],
    boxes: readonly Box[],
    start: readonly number[],
    limit: number,
  ): Promise<void> {
    const first = [...shapes];
    // The networks know heads that are nearly upright: one that seemed to lie on its side may lie on the other.
    const isDoubtful = ({ confidence: sure, landmarks }: CropShape, i: number, widen: number): boolean =>
      sure!.confidence < limit || (widen === 1 && angleBetween(turnInPlane(landmarks), start[i]) > FAR_TURN);
    for (const { turns, widen } of QUARTER_LOOKS) {
      const doubtful = shapes.flatMap((shape, i) => (isDoubtful(shape, i, widen) ? [i] : []));
      if (doubtful.length === 0) break;
      const tries = doubtful.flatMap((i) => turns.map((turn) => ({ i, turn: start[i] + turn })));
      const pictures = tries.map(({ i }) => images[i]);
      let answers = await predictOnce(
        pictures,
        tries.map(({ i, turn }) => {
          const box = widen === 1 ? boxes[i] : turnedBox(boxes[i], start[i], turn);
          return cropAffine(box, { rotation: -turn, scale: widen * CROP_DEFAULTS.scale });
        }),
      );
      if (widen > 1) {
        const around = answers.map(({ landmarks }, k) => uprightCrop(landmarks, tries[k].turn));
        answers = await predictOnce(pictures, around);
      }
      if (upright !== false) {
        await turnUpright(
          pictures,
          answers,
          upright,
          tries.map(({ turn }) => turn),
        );
      }
      for (const [k, { i }] of tries.entries()) {
        // A wider crop may show a neighbour, of whom the networks are surer.
        const isSame = boxOverlap(boxOf(answers[k].landmarks), boxes[i]) >= SAME_FACE;
        if (isSame) keepSurer(shapes, i, answers[k]);
      }
    }
    // What was found by a turn was found in a box that was made for another.
    const found = [...shapes.keys()].filter((i) => shapes[i] !== first[i]);
    const again = await predictOnce(
      found.map((i) => images[i]),
      found.map((i) => uprightCrop(shapes[i].landmarks, turnInPlane(shapes[i].landmarks))),
    );
    for (const [k, i] of found.entries()) keepSurer(shapes, i, again[k]);
  }

  /** Faces whose landmarks fill another box than the given one are predicted again in their own, which takes its place. */
  async function tryOwnBoxes(
    images: readonly Pixels[],
    shapes: CropShape[],
    boxes: Box[],
    turns: readonly number[],
  ): Promise<void> {
    if (refine === false) return;
    const own = shapes.map(({ landmarks }) => boxOf(landmarks));
    const isOff = ({ width, height }: Box, i: number): boolean => {
      if (refine === true) return true;
      const { landmarks, confidence: found } = shapes[i];
      // Heads that lie turned and doubtful ones are looked at again anyway; landmarks that fell together have no box.
      if (upright !== false && angleBetween(turnInPlane(landmarks), turns[i]) > upright) return false;
      if (judge && quarterTurns !== false && found!.confidence < quarterTurns) return false;
      return width > 1 && height > 1 && boxOverlap(own[i], boxes[i]) < refine;
    };
    const off = own.flatMap((box, i) => (isOff(box, i) ? [i] : []));
    const again = await predictOnce(
      off.map((i) => images[i]),
      off.map((i) => uprightCrop(shapes[i].landmarks, turns[i])),
    );
    for (const [k, i] of off.entries()) {
      boxes[i] = own[i];
      shapes[i] = again[k];
    }
  }

  async function predictBatch(items: readonly FaceRequest[]): Promise<FaceShape[]> {
    const images = await readImages(items);
    const boxes = items.map(({ box }) => box);
    const turns = items.map(({ turn = 0 }) => turn);
    const shapes = await predictOnce(
      images,
      boxes.map((box, i) => cropAffine(box, { rotation: -turns[i] })),
    );
    await tryOwnBoxes(images, shapes, boxes, turns);
    if (upright !== false) await turnUpright(images, shapes, upright, turns);
    if (judge && quarterTurns !== false) await tryQuarterTurns(images, shapes, boxes, turns, quarterTurns);
    return shapes.map(({ landmarks, confidence: found }, i) => ({
      landmarks,
      pose: poseOf(landmarks),
      box: boxes[i],
      ...found,
    }));
  }

  return {
    inputSize,
    predict: async (image, box, turn) => (await predictBatch([{ image, box, turn }]))[0],
    predictBatch,
    predictUnit: async (crops) => (await runCrops(crops)).map(({ landmarks }) => landmarks),
    dispose: () => {
      alive = false;
      runner.dispose?.();
    },
  };
}

/** Takes the surer answer. */
function keepSurer(shapes: CropShape[], i: number, answer: CropShape): void {
  const [own, other] = [shapes[i], answer].map(({ confidence: found }) => found!.confidence);
  const isTurned = angleBetween(turnInPlane(answer.landmarks), turnInPlane(shapes[i].landmarks)) > FAR_TURN;
  const isSurer = isTurned
    ? other > own + TURN_MARGIN && oddsOf(other) > TURN_ODDS * oddsOf(own)
    : other > own;
  if (isSurer) shapes[i] = answer;
}

/** Of a probability; none is trusted beyond one in a thousand. */
function oddsOf(probability: number): number {
  return (probability + 1e-3) / (1 - probability + 1e-3);
}

function meanShape(shapes: readonly Landmarks<3>[]): Landmarks<3> {
  const [{ points }] = shapes;
  return {
    points: points.map((_, k) => shapes.reduce((sum, shape) => sum + shape.points[k], 0) / shapes.length),
    dims: 3,
  };
}

function poseOf(landmarks: Landmarks<3>): HeadPose {
  try {
    return headPose(landmarks);
  } catch {
    return { yaw: Number.NaN, pitch: Number.NaN, roll: Number.NaN };
  }
}
