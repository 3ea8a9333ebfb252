import {
  div,
  reshape,
  square,
  stack,
  sum,
  type Tensor1D,
  type Tensor3D,
  type Tensor4D,
  tensor3d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { CroppedSample } from '@voxface/datasets';
import { countLandmarks, type Landmarks } from '@voxface/landmarks';
import type { VolumeEncoder } from '@voxface/volume';
import { encodeVolumeBatch, hasVolumeKernel } from '@voxface/volume/tensor';

/** What both kinds of batch carry. Letters: b batch, n landmarks, S input size, c channels. */
interface BatchBase {
  readonly size: number;
  readonly ids: readonly string[];
  /** [b, S, S, 3] in 0..1. */
  readonly images: Tensor4D;
}

/** Samples with 3D annotation, with their true volumes. */
export interface Batch3D extends BatchBase {
  readonly kind: '3d';
  /** [b, n, 3] crop unit coordinates. */
  readonly unit: Tensor3D;
  /** True volumes per stage [b, h, w, d_m * c]. */
  readonly stages: readonly Tensor4D[];
}

/** Samples with 2D annotation only, with the heatmap of Eq. 3. */
export interface Batch2D extends BatchBase {
  readonly kind: '2d';
  /** [b, n, 2] crop unit coordinates; zero where not annotated. */
  readonly unit: Tensor3D;
  /** [b, n, 1], 1 = annotated; absent when every landmark is. */
  readonly mask?: Tensor3D;
  /** [b, h, w, c]. */
  readonly heatmap: Tensor4D;
  /** [b, 1, 1, 1], 1 = all landmarks annotated; absent when that holds for every sample. */
  readonly complete?: Tensor4D;
}

/** A homogeneous batch on the device; Eq. 7, 8, 11 and 14 switch on `kind`. */
export type TrainingBatch = Batch2D | Batch3D;

/** The dense host arrays of a batch, before upload. */
export interface EncodedBatch {
  readonly kind: '2d' | '3d';
  readonly ids: readonly string[];
  readonly inputSize: number;
  readonly images: Float32Array;
  readonly unit: Float32Array;
  readonly mask?: Float32Array;
  readonly complete?: Float32Array;
  /** One array per stage on 3D samples, none where the device draws them; the single heatmap on 2D samples. */
  readonly targets: readonly { readonly data: Float32Array; readonly shape: [number, number, number] }[];
}

/**
 * Encodes samples on the host: pixels to 0..1, landmarks to true volumes (3D) or heatmaps (2D).
 * @throws RangeError on an empty batch, mixed dimensions or a number of landmarks that is not the encoder's.
 */
export function encodeBatch(samples: readonly CroppedSample[], encoder: VolumeEncoder): EncodedBatch {
  const landmarks = encoder.count;
  const dims = checkSamples(samples, landmarks);
  const inputSize = samples[0].size;
  const pixels = inputSize * inputSize * 3;
  const images = new Float32Array(samples.length * pixels);
  const unit = new Float32Array(samples.length * landmarks * dims);
  // A GPU is faster at drawing volumes than the bus at carrying them.
  const shapes = dims === 3 && hasVolumeKernel(encoder) ? [] : targetShapes(encoder, dims);
  const targets = shapes.map((shape) => ({
    data: new Float32Array(samples.length * shape[0] * shape[1] * shape[2]),
    shape,
  }));
  const { mask, complete } = dims === 2 ? masksOf(samples, landmarks) : {};
  samples.forEach((sample, b) => {
    const source = sample.pixels;
    const start = b * pixels;
    for (let i = 0; i < pixels; i++) images[start + i] = source[i] / 255;
    unit.set(sample.landmarks.points, b * landmarks * dims);
    if (mask !== undefined) clearHidden(unit, mask, b, landmarks);
    if (complete?.[b] === 0) return;
    targets.forEach(({ data }, m) => {
      const start = (b * data.length) / samples.length;
      if (dims === 3) encoder.encodeStage(sample.landmarks as Landmarks<3>, m, data, start);
      else data.set(encoder.encodePlane(sample.landmarks), start);
    });
  });
  const kind = dims === 2 ? '2d' : '3d';
  return { kind, ids: samples.map((s) => s.id), inputSize, images, unit, mask, complete, targets };
}

/** Uploads an encoded batch. The caller disposes it with `disposeBatch`. */
export function uploadBatch(encoded: EncodedBatch, encoder: VolumeEncoder): TrainingBatch {
  const { kind, ids, inputSize: s } = encoded;
  const size = ids.length;
  const images = tensor4d(encoded.images, [size, s, s, 3]);
  const volumes = encoded.targets.map(({ data, shape }) => tensor4d(data, [size, ...shape]));
  const n = encoded.unit.length / size / (kind === '3d' ? 3 : 2);
  const unit = tensor3d(encoded.unit, [size, n, kind === '3d' ? 3 : 2]);
  if (kind === '3d') {
    const stages = volumes.length > 0 ? volumes : drawStages(unit, encoder);
    return { kind, size, ids, images, unit, stages };
  }
  const mask = encoded.mask && tensor3d(encoded.mask, [size, n, 1]);
  const complete = encoded.complete && tensor4d(encoded.complete, [size, 1, 1, 1]);
  return { kind, size, ids, images, unit, heatmap: volumes[0], mask, complete };
}

/** True volumes per stage [b, h, w, d_m * c]. */
function drawStages(unit: Tensor3D, encoder: VolumeEncoder): Tensor4D[] {
  return tidy(() =>
    encodeVolumeBatch(unit, encoder).map((volume) => {
      const [b, h, w, d, c] = volume.shape;
      return reshape(volume, [b, h, w, d * c]) as Tensor4D;
    }),
  );
}

/** Energy per stage, [stages]: the voxel loss of a zero prediction, mean over the batch. */
export function energyOf(batch: TrainingBatch): Tensor1D {
  const targets = batch.kind === '3d' ? batch.stages : [batch.heatmap];
  return tidy(() => {
    const energies = targets.map((target) => sum(square(target)));
    return div(stack(energies), batch.size) as Tensor1D;
  });
}

/** `encodeBatch`, then `uploadBatch`: the only place where training tensors are born. */
export function toBatch(samples: readonly CroppedSample[], encoder: VolumeEncoder): TrainingBatch {
  return uploadBatch(encodeBatch(samples, encoder), encoder);
}

/** Frees every tensor of a batch. */
export function disposeBatch(batch: TrainingBatch): void {
  batch.images.dispose();
  batch.unit.dispose();
  if (batch.kind === '3d') {
    for (const stage of batch.stages) stage.dispose();
  } else {
    batch.heatmap.dispose();
    batch.mask?.dispose();
    batch.complete?.dispose();
  }
}

function targetShapes(encoder: VolumeEncoder, dims: 2 | 3): [number, number, number][] {
  const { stages, channels } = encoder;
  if (dims === 3) return stages.map(({ width, height, depth }) => [height, width, depth * channels]);
  return [[stages[0].height, stages[0].width, channels]];
}

function masksOf(
  samples: readonly CroppedSample[],
  n: number,
): { mask?: Float32Array; complete?: Float32Array } {
  if (!samples.some((s) => s.visible?.includes(0))) return {};
  const mask = new Float32Array(samples.length * n).fill(1);
  const complete = new Float32Array(samples.length).fill(1);
  samples.forEach((sample, b) => {
    if (!sample.visible?.includes(0)) return;
    mask.set(sample.visible, b * n);
    complete[b] = 0;
  });
  return { mask, complete };
}

/** Zero where not annotated, so that no NaN of the file meets the mask. */
function clearHidden(unit: Float32Array, mask: Float32Array, b: number, n: number): void {
  for (let i = b * n; i < (b + 1) * n; i++) {
    if (mask[i] === 0) unit.fill(0, 2 * i, 2 * i + 2);
  }
}

function checkSamples(samples: readonly CroppedSample[], landmarks: number): 2 | 3 {
  if (samples.length === 0) throw new RangeError('toBatch: expected at least one sample, got 0');
  const { dims } = samples[0].landmarks;
  for (const sample of samples) {
    if (sample.landmarks.dims !== dims) {
      throw new RangeError(
        `toBatch: a batch is 2D or 3D throughout, got ${dims}D and ${sample.landmarks.dims}D (${sample.id})`,
      );
    }
    const n = countLandmarks(sample.landmarks);
    if (n !== landmarks) {
      throw new RangeError(
        `toBatch: the model has ${landmarks} landmarks, got ${n} in ${sample.id} (choose a dataset of the model's scheme)`,
      );
    }
  }
  return dims;
}
