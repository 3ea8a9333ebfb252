import { rename, writeFile } from 'node:fs/promises';
import { slice, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { createRandom, withDefaults } from '@voxface/landmarks';
import { estimateFlatVolumes, type FaceShapeModel, regressCoordinates } from '@voxface/models';
import { EXPORT_ONNX_DEFAULTS, type ExportOnnxOptions, exportOnnx } from './export-onnx.ts';

import type { OnnxPrecision } from './finish-graph.ts';
import { readModelInfo } from './metadata.ts';
import { openNodeSession } from './runtime/node.ts';
export interface SaveOnnxOptions extends ExportOnnxOptions {
  /** Run the file with onnxruntime-node and compare with TensorFlow.js before it is written. @default false */
  check?: boolean;
  /** Crops [b, S, S, 3] in 0..1 to check on, which the caller disposes. @default two of random blocks */
  checkImages?: Tensor4D;
  /**
   * Largest difference of landmarks that passes, crop units; null chooses 1e-4, or 1e-3 for half precision.
   * @default null
   */
  tolerance?: number | null;
}

export const SAVE_ONNX_DEFAULTS: Required<Omit<SaveOnnxOptions, 'card' | 'checkImages'>> = {
  ...EXPORT_ONNX_DEFAULTS,
  check: false,
  tolerance: null,
};

/** Differences of landmarks in crop units that rounding the weights explains. */
const TOLERANCES: Readonly<Record<OnnxPrecision, number>> = { float32: 1e-4, float16: 1e-3, int8: 2e-2 };

/**
 * Writes a model as an ONNX file; the file appears only when it is complete and, with `check`, right.
 * @returns size of the file and the differences that the check found.
 * @throws RangeError when the check finds more than the tolerance.
 * @example
 * ```js
 * import { setupBackend } from '@voxface/backend';
 * import { createFaceShapeModel } from '@voxface/models';
 * import { saveOnnx } from '@voxface/onnx/export/node';
 * import { createOnnxPredictor } from '@voxface/onnx/node';
 *
 * await setupBackend('cpu');
 * await saveOnnx(createFaceShapeModel('tiny'), 'tiny.onnx', { precision: 'float16' });
 * const predictor = await createOnnxPredictor('tiny.onnx');
 * const image = { data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 };
 * const { landmarks } = await predictor.predict(image, { x: 100, y: 60, width: 80, height: 100 });
 * console.log(landmarks.points.length); // => 204
 * ```
 */
export async function saveOnnx(
  model: FaceShapeModel,
  file: string,
  options: SaveOnnxOptions = {},
): Promise<{ bytes: number; check: OnnxCheck | null }> {
  const settings = withDefaults(SAVE_ONNX_DEFAULTS, options);
  const bytes = await exportOnnx(model, settings);
  const check = settings.check ? await checkOnnx(bytes, model, { images: settings.checkImages }) : null;
  const tolerance = settings.tolerance ?? TOLERANCES[settings.precision];
  if (check !== null && !(check.landmarks <= tolerance)) {
    throw new RangeError(
      `saveOnnx: landmarks of ONNX Runtime and TensorFlow.js must agree to ${tolerance}, got a difference of ${check.landmarks} (nothing was written)`,
    );
  }
  const partial = `${file}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, file);
  return { bytes: bytes.length, check };
}

export interface CheckOnnxOptions {
  /** Crops [b, S, S, 3] in 0..1 to compare on. The caller disposes them. @default two of random blocks */
  images?: Tensor4D;
  /** @default 0 */
  seed?: number;
}

/** Largest differences between the two runtimes. */
export interface OnnxCheck {
  /** Landmarks, in crop units. */
  readonly landmarks: number;
  /** Last volume, over its largest voxel; null when the file has no volume. */
  readonly volume: number | null;
}

/** Crops that are compared at a time. */
const CHECK_BATCH = 8;

/** Runs a file with onnxruntime-node and its model with TensorFlow.js on the same crops, and compares. */
export async function checkOnnx(
  file: Uint8Array,
  model: FaceShapeModel,
  options: CheckOnnxOptions = {},
): Promise<OnnxCheck> {
  const { volume } = readModelInfo(file);
  const size = model.options.inputSize;
  const images = options.images ?? blockImages(size, options.seed ?? 0);
  const { runtime, session } = await openNodeSession(file);
  let worst: OnnxCheck = { landmarks: 0, volume: volume && 0 };
  try {
    for (let start = 0; start < images.shape[0]; start += CHECK_BATCH) {
      const count = Math.min(CHECK_BATCH, images.shape[0] - start);
      const batch = slice(images, [start, 0, 0, 0], [count, size, size, 3]);
      const image = new runtime.Tensor('float32', Float32Array.from(await batch.data()), batch.shape);
      const found = compare(await runTensorflow(model, batch), await session.run({ image }), volume !== null);
      batch.dispose();
      worst = {
        landmarks: larger(worst.landmarks, found.landmarks),
        volume: volume && larger(worst.volume!, found.volume!),
      };
    }
    return worst;
  } finally {
    if (options.images === undefined) images.dispose();
    await session.release();
  }
}

async function runTensorflow(
  model: FaceShapeModel,
  images: Tensor4D,
): Promise<{ landmarks: Float32Array; volume: Float32Array }> {
  const [points, last] = tidy(() => {
    const volumes = estimateFlatVolumes(model, images);
    return [regressCoordinates(model, volumes, images), volumes[volumes.length - 1]];
  });
  const [landmarks, volume] = await Promise.all([points.data(), last.data()]);
  points.dispose();
  last.dispose();
  return { landmarks: landmarks as Float32Array, volume: volume as Float32Array };
}

function compare(
  ours: { landmarks: Float32Array; volume: Float32Array },
  theirs: Readonly<Record<string, { readonly data: unknown }>>,
  withVolume: boolean,
): OnnxCheck {
  return {
    landmarks: largestDifference(ours.landmarks, theirs.landmarks.data as Float32Array).difference,
    volume: withVolume ? relativeDifference(ours.volume, theirs.volume.data as Float32Array) : null,
  };
}

/** The larger number; not Math.max, because a NaN must win whichever side it is on. */
function larger(a: number, b: number): number {
  return a >= b || Number.isNaN(a) ? a : b;
}

/** Two crops of coloured blocks: noise alone would average out in the first layers. */
function blockImages(size: number, seed: number): Tensor4D {
  const random = createRandom(seed);
  const blocks = Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => random.next());
  const values = new Float32Array(2 * size * size * 3);
  for (let i = 0; i < values.length; i++) {
    const pixel = Math.floor(i / 3);
    const [image, y, x] = [Math.floor(pixel / size ** 2), Math.floor(pixel / size) % size, pixel % size];
    const block = (image * 8 + Math.floor((8 * y) / size)) * 8 + Math.floor((8 * x) / size);
    values[i] = blocks[3 * block + (i % 3)];
  }
  return tensor4d(values, [2, size, size, 3]);
}

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { difference, largest } = largestDifference(a, b);
  return difference / (largest || 1);
}

function largestDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { difference: number; largest: number } {
  if (a.length !== b.length) {
    throw new RangeError(`checkOnnx: outputs must have one size, got ${a.length} and ${b.length} numbers`);
  }
  let [difference, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    // Not Math.max: a NaN must not go unnoticed.
    if (!(Math.abs(a[i] - b[i]) <= difference)) difference = Math.abs(a[i] - b[i]);
    largest = Math.max(largest, Math.abs(a[i]));
  }
  return { difference, largest };
}
