import {
  add,
  clipByValue,
  div,
  engine,
  exp,
  getBackend,
  getKernel,
  greaterEqual,
  maximum,
  mul,
  range,
  reshape,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
  tensor2d,
  tidy,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { VolumeEncoder } from './create-volume-encoder.ts';
import type { KernelOptions, VolumeStage } from './options.ts';
import { kernelPrefactor } from './splat.ts';

/**
 * Eq. 1 and Eq. 2 for a batch on the device that holds the landmarks: no volume crosses the bus. Agrees with
 * `encoder.encode` to single precision. Visits every voxel once per landmark, so that on a CPU `encode` is faster; on WebGPU
 * a kernel of `@voxface/backend` does it in one pass where that package has set the backend up.
 * @param unit [b, n, 3] in crop unit space.
 * @returns one [b, h, w, d, c] per stage; the caller disposes them.
 * @throws RangeError when n is not the encoder's.
 */
export function encodeVolumeBatch(unit: Tensor3D, encoder: VolumeEncoder): Tensor5D[] {
  const [, count, dims] = unit.shape;
  if (count !== encoder.count || dims !== 3) {
    throw new RangeError(
      `encodeVolumeBatch: expected [b, ${encoder.count}, 3], got [${unit.shape.join(', ')}]`,
    );
  }
  return encoder.stages.map((stage) => tidy(() => encodeStage(unit, stage, encoder)));
}

/** Whether a kernel of the current backend draws the encoder's volumes: `encodeVolumeBatch` is then faster than `encode`. */
export function hasVolumeKernel({ channels }: VolumeEncoder): boolean {
  return channels <= 4 && getKernel('EncodeVolume', getBackend()) != null;
}

function encodeStage(unit: Tensor3D, stage: VolumeStage, encoder: VolumeEncoder): Tensor5D {
  const { width, height, depth } = stage;
  const { options, channels } = encoder;
  const batch = unit.shape[0];
  const colors = tensor2d(encoder.colors, [encoder.count, channels]);
  if (hasVolumeKernel(encoder)) {
    const { sigma, cutoff, depthKernel } = options;
    const prefactor = kernelPrefactor(options);
    const drawing = { ...stage, sigma, cutoff, prefactor, isNormalized: depthKernel === 'normalized' };
    return engine().runKernel('EncodeVolume', { unit, colors }, drawing) as Tensor5D;
  }
  let volume: Tensor4D = zeros([batch, height * width, depth, channels]);
  for (let n = 0; n < encoder.count; n++) {
    const next = tidy(() => {
      const alongX = axisSquares(coordinate(unit, n, 0, 0, width), width, false);
      const alongY = axisSquares(coordinate(unit, n, 1, 0, height), height, false);
      const alongZ = axisSquares(
        coordinate(unit, n, 2, 0.5, depth),
        depth,
        options.depthKernel === 'normalized',
      );
      const plane = mul(
        reshape(gaussian(alongY, options), [batch, height, 1]),
        reshape(gaussian(alongX, options), [batch, 1, width]),
      );
      const line = gaussian(alongZ, options);
      const relative = mul(reshape(plane, [batch, height * width, 1]), reshape(line, [batch, 1, depth]));
      const kept = where(greaterEqual(relative, options.cutoff), relative, zerosLike(relative));
      const value = mul(kept, reshape(amplitude(line, options), [-1, 1, 1]));
      const color = reshape(slice(colors, [n, 0], [1, channels]), [1, 1, 1, channels]);
      return maximum(volume, mul(reshape(value, [batch, height * width, depth, 1]), color)) as Tensor4D;
    });
    volume.dispose();
    volume = next;
  }
  return reshape(volume, [batch, height, width, depth, channels]);
}

/** Coordinate `axis` of landmark n in voxels, [b, 1]. */
function coordinate(unit: Tensor3D, n: number, axis: number, shift: number, size: number): Tensor {
  const value = reshape(slice(unit, [0, n, axis], [unit.shape[0], 1, 1]), [unit.shape[0], 1]);
  return sub(mul(add(value, shift), size), 0.5);
}

/** Squared distances of the cells of an axis to `center` [b, 1], [b, size]; see `fillAxisWeights`. */
function axisSquares(center: Tensor, size: number, clamped: boolean): Tensor {
  const squares = square(sub(reshape(range(0, size), [1, size]), center));
  return clamped ? sub(squares, square(sub(center, clipByValue(center, 0, size - 1)))) : squares;
}

function gaussian(squares: Tensor, { sigma }: KernelOptions): Tensor {
  return exp(mul(squares, -1 / (2 * sigma * sigma)));
}

/** Factor of the relative values, [b, 1] or [1, 1]; `line` are the uncut weights along z. */
function amplitude(line: Tensor, kernel: KernelOptions): Tensor {
  const prefactor = kernelPrefactor(kernel);
  return kernel.depthKernel === 'normalized'
    ? div(prefactor, sum(line, 1, true))
    : tensor2d([prefactor], [1, 1]);
}

/**
 * Eq. 4 on tensors: sums a batch of volumes along z. Differentiable.
 * @param volume [b, h, w, d, c].
 * @returns [b, h, w, c].
 */
export function marginalizeDepthTensor(volume: Tensor5D): Tensor4D {
  const [b, h, w, d, c] = volume.shape;
  return tidy(() => {
    const columns: Tensor3D = reshape(volume, [b * h * w, d, c]);
    return reshape(sum(columns, 1), [b, h, w, c]);
  });
}
