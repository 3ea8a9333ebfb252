import {
  type Affine,
  type Box,
  boxOf,
  cropAffine,
  flipLandmarks,
  fromUnit,
  type HeadPose,
  headPose,
  type Landmarks,
  type Pixels,
  SCHEMES,
} from '@voxface/landmarks';
import { cropUpright } from './crop-upright.ts';
import { type ImageSource, toPixels } from './image-source.ts';
import { turnInPlane, uprightCrop } from './upright-pass.ts';

/** A face found in a picture. */
export interface FaceShape {
  /** [n, 3] in image pixels; z in pixels with zero mean, positive away from the camera. */
  readonly landmarks: Landmarks<3>;
  /** Degrees; NaN when the scheme has no head pose or the landmarks form no face. */
  readonly pose: HeadPose;
  /** The box that the last crop was cut around. */
  readonly box: Box;
}

/** A picture and the landmark-like box of one face in it. */
export interface FaceRequest {
  readonly image: ImageSource;
  readonly box: Box;
}

/** Options of a predictor. */
export interface PredictorOptions {
  /** Averages with the prediction of the mirrored crop: twice the work, less error. */
  flip?: boolean;
  /** Predicts again around the first landmarks: twice the work, forgives a bad box. */
  refine?: boolean;
  /**
   * Heads whose first landmarks lie turned in the picture's plane by more than this many degrees are cut again along the head's axis
   * and predicted again, until they stand upright (three times at most); false: never. Upright heads cost nothing more.
   */
  upright?: number | false;
  /** Crops that go through the networks at once. */
  batchSize?: number;
}

/** One pass where the head stands upright, eight crops at a time. */
export const PREDICTOR_DEFAULTS: Required<PredictorOptions> = {
  flip: false,
  refine: false,
  upright: 20,
  batchSize: 8,
};

const UPRIGHT_PASSES = 3;

/** Finds landmarks in pictures. Boxes are tight boxes of the landmarks, as the detectors of this package give. */
export interface Predictor {
  /** Side of the crops in pixels. */
  readonly inputSize: number;
  /** Landmarks of one face. */
  predict(image: ImageSource, box: Box): Promise<FaceShape>;
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
  /** Frees what the runner keeps between calls. */
  dispose?(): void;
}

/**
 * Builds a predictor around anything that turns crops into coordinates: cuts crops by the house's rule, mirrors,
 * batches, refines, turns heads upright, and maps the result back to image pixels.
 * @throws RangeError when flip averaging is asked for a scheme without known mirror pairs.
 */
export function createCropPredictor(runner: CropRunner, options: PredictorOptions = {}): Predictor {
  const { flip, refine, upright, batchSize } = { ...PREDICTOR_DEFAULTS, ...options };
  const { inputSize, landmarks: count } = runner;
  const scheme = Object.hasOwn(SCHEMES, runner.scheme) ? SCHEMES[runner.scheme] : undefined;
  if (flip && scheme === undefined) {
    throw new RangeError(
      `createPredictor: flip needs a scheme with mirror pairs, got '${runner.scheme}' (leave flip off)`,
    );
  }
  if (!(batchSize >= 1))
    throw new RangeError(`createPredictor: batchSize must be at least 1, got ${batchSize}`);
  if (upright !== false && !(upright > 0 && upright <= 180)) {
    throw new RangeError(
      `createPredictor: upright must be degrees in 0..180, above 0, or false, got ${upright}`,
    );
  }
  let alive = true;

  async function predictUnit(crops: readonly Uint8Array[]): Promise<Landmarks<3>[]> {
    if (!alive) throw new Error('predict: this predictor was disposed (create another)');
    const shapes: Landmarks<3>[] = [];
    const perRun = Math.max(1, Math.floor(flip ? batchSize / 2 : batchSize));
    for (let start = 0; start < crops.length; start += perRun) {
      const batch = crops.slice(start, start + perRun);
      const mirrored = flip ? batch.map((crop) => mirrorCrop(crop, inputSize)) : [];
      const values = await runner.run([...batch, ...mirrored]);
      const shapeAt = (i: number): Landmarks<3> => ({
        points: Float32Array.from({ length: 3 * count }, (_, k) => values[3 * count * i + k]),
        dims: 3,
      });
      batch.forEach((_, i) => {
        const shape = shapeAt(i);
        const other = flip ? flipLandmarks(shapeAt(batch.length + i), scheme!, 1) : undefined;
        shapes.push(other === undefined ? shape : meanShape(shape, other));
      });
    }
    return shapes;
  }

  async function predictOnce(images: readonly Pixels[], affines: readonly Affine[]): Promise<Landmarks<3>[]> {
    const crops = images.map((image, i) => cropUpright(image, affines[i], inputSize));
    return (await predictUnit(crops)).map((unit, i) => fromUnit(unit, affines[i]));
  }

  /** Replaces the shapes of turned heads by those from crops along their axes. */
  async function turnUpright(
    images: readonly Pixels[],
    shapes: Landmarks<3>[],
    limit: number,
  ): Promise<void> {
    const turns = shapes.map(() => 0);
    let turned = [...shapes.keys()];
    for (let pass = 0; pass < UPRIGHT_PASSES; pass++) {
      const found = shapes.map(turnInPlane);
      turned = turned.filter((i) => angleBetween(found[i], turns[i]) > limit);
      if (turned.length === 0) return;
      for (const i of turned) turns[i] = found[i];
      const again = await predictOnce(
        turned.map((i) => images[i]),
        turned.map((i) => uprightCrop(shapes[i], turns[i])),
      );
      turned.forEach((i, k) => {
        shapes[i] = again[k];
      });
    }
  }

  async function predictBatch(items: readonly FaceRequest[]): Promise<FaceShape[]> {
    const images = await readImages(items);
    let boxes = items.map(({ box }) => box);
    const cut = (): Affine[] => boxes.map((box) => cropAffine(box));
    let shapes = await predictOnce(images, cut());
    if (refine) {
      boxes = shapes.map((shape) => boxOf(shape));
      shapes = await predictOnce(images, cut());
    }
    if (upright !== false) await turnUpright(images, shapes, upright);
    return shapes.map((landmarks, i) => ({ landmarks, pose: poseOf(landmarks), box: boxes[i] }));
  }

  return {
    inputSize,
    predict: async (image, box) => (await predictBatch([{ image, box }]))[0],
    predictBatch,
    predictUnit,
    dispose: () => {
      alive = false;
      runner.dispose?.();
    },
  };
}

/** Of two directions in degrees, 0..180. */
function angleBetween(a: number, b: number): number {
  return Math.abs(a - b - 360 * Math.round((a - b) / 360));
}

/** Reads every picture once, even when several requests share it. */
async function readImages(items: readonly FaceRequest[]): Promise<Pixels[]> {
  const read = new Map<ImageSource, Promise<Pixels>>();
  for (const { image } of items) if (!read.has(image)) read.set(image, toPixels(image));
  return Promise.all(items.map(({ image }) => read.get(image)!));
}

function mirrorCrop(crop: Uint8Array, size: number): Uint8Array {
  const mirrored = new Uint8Array(crop.length);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const from = 3 * (row * size + column);
      const to = 3 * (row * size + size - 1 - column);
      mirrored[to] = crop[from];
      mirrored[to + 1] = crop[from + 1];
      mirrored[to + 2] = crop[from + 2];
    }
  }
  return mirrored;
}

function meanShape(a: Landmarks<3>, b: Landmarks<3>): Landmarks<3> {
  return { points: a.points.map((value, i) => (value + b.points[i]) / 2), dims: 3 };
}

function poseOf(landmarks: Landmarks<3>): HeadPose {
  try {
    return headPose(landmarks);
  } catch {
    return { yaw: Number.NaN, pitch: Number.NaN, roll: Number.NaN };
  }
}

/**
 * Crops as the networks take them: bytes [b][size, size, 3] to floats [b, size, size, 3] in 0..1.
 * @throws RangeError when a crop has another size.
 */
export function cropsToUnitRange(crops: readonly Uint8Array[], size: number): Float32Array {
  const length = size * size * 3;
  const values = new Float32Array(crops.length * length);
  crops.forEach((crop, i) => {
    if (crop.length !== length) {
      throw new RangeError(
        `predictUnit: expected ${size} x ${size} x 3 bytes, got ${crop.length} at crop ${i}`,
      );
    }
    for (let k = 0; k < length; k++) values[i * length + k] = crop[k] / 255;
  });
  return values;
}
