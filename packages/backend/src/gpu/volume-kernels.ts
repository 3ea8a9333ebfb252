import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { defineGpuKernel, release, runShader, spread } from './webgpu-kernel.ts';

interface Drawing {
  width: number;
  height: number;
  depth: number;
  sigma: number;
  cutoff: number;
  /** What multiplies colour and Gaussian. */
  prefactor: number;
  /** Whether weights along z are measured from the nearest slice and add up to one. */
  isNormalized: boolean;
}

const MOST_CHANNELS = 4;
/** Values per landmark between the two shaders: centre, what squared distances are lessened by, factor. */
const FIELDS = 5;

/**
 * EncodeVolume, a kernel of our own: semantic volumes [b, h, w, d, c] of landmarks [b, n, 3] and colours [n, c], Eq. 1 and Eq. 2.
 * One thread per voxel goes over the landmarks and keeps the largest value of each channel.
 */
const encodeVolume = defineGpuKernel<{ unit: TensorInfo; colors: TensorInfo }, Drawing>(
  'EncodeVolume',
  ({ inputs: { unit, colors }, attrs, backend }) => {
    const [batch, count] = unit.shape;
    const channels = colors.shape[1];
    const { width, height, depth, sigma, cutoff, prefactor, isNormalized } = attrs;
    if (channels > MOST_CHANNELS)
      throw new Error(`EncodeVolume: at most ${MOST_CHANNELS} channels, got ${channels}`);
    const rate = (-1 / (2 * sigma * sigma)).toExponential();
    const centers = runShader(
      backend,
      {
        key: `volume_centers_${width}_${height}_${depth}_${sigma}_${prefactor}_${isNormalized}`,
        variables: ['unit'],
        uniforms: { count: batch * count },
        workgroupSize: 64,
        workgroups: [Math.ceil((batch * count) / 64), 1, 1],
        code: `
          fn main(index : i32) {
            let at = i32(workgroupId.x * 64u + localIndex);
            if (at >= uniforms.count) { return; }
            let x = unit[at * 3] * ${width}.0 - 0.5;
            let y = unit[at * 3 + 1] * ${height}.0 - 0.5;
            let z = (unit[at * 3 + 2] + 0.5) * ${depth}.0 - 0.5;
            var lessened = 0.0;
            var factor = f32(${prefactor.toExponential()});
            if (${isNormalized}) {
              let outside = z - clamp(z, 0.0, ${depth - 1}.0);
              lessened = outside * outside;
              var total = 0.0;
              for (var slice = 0; slice < ${depth}; slice++) {
                let distance = f32(slice) - z;
                total += exp((distance * distance - lessened) * ${rate});
              }
              factor /= total;
            }
            let to = at * ${FIELDS};
            result[to] = x; result[to + 1] = y; result[to + 2] = z; result[to + 3] = lessened; result[to + 4] = factor;
          }`,
      },
      [unit],
      [batch, count, FIELDS],
    );
    const voxels = batch * height * width * depth;
    const { workgroups, at } = spread(voxels, 64);
    const all = Array.from({ length: channels }, (_, c) => c);
    const volume = runShader(
      backend,
      {
        key: `volume_${width}_${height}_${depth}_${channels}_${count}_${sigma}_${cutoff}`,
        variables: ['centers', 'colors'],
        uniforms: { voxels },
        workgroupSize: 64,
        workgroups,
        code: `
          fn main(index : i32) {
            let at = ${at};
            if (at >= uniforms.voxels) { return; }
            let cell = vec3<f32>(f32((at / ${depth}) % ${width}), f32((at / ${depth * width}) % ${height}), f32(at % ${depth}));
            let first = (at / ${depth * width * height}) * ${count * FIELDS};
            ${all.map((c) => `var value${c} = 0.0;`).join(' ')}
            for (var n = 0; n < ${count}; n++) {
              let start = first + n * ${FIELDS};
              let away = cell - vec3<f32>(centers[start], centers[start + 1], centers[start + 2]);
              let relative = exp((dot(away, away) - centers[start + 3]) * ${rate});
              if (relative >= ${cutoff.toExponential()}) {
                let value = relative * centers[start + 4];
                ${all.map((c) => `value${c} = max(value${c}, value * colors[n * ${channels} + ${c}]);`).join(' ')}
              }
            }
            ${all.map((c) => `result[at * ${channels} + ${c}] = value${c};`).join(' ')}
          }`,
      },
      [centers, colors],
      [batch, height, width, depth, channels],
    );
    release(backend, centers);
    return volume;
  },
);

/** True volumes of a training batch. */
export const GPU_VOLUME_KERNELS: readonly KernelReplacement[] = [encodeVolume];
