import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { type KernelReplacement, registerKernels } from '../register-kernels.ts';

/**
 * ResizeNearestNeighborGrad for the cpu backend, whose own is wrong for batches of more than one image (it steps through
 * dy with the strides of the input). Every output pixel gives its gradient to the pixel that it copied.
 */
export const resizeNearestGradient: KernelReplacement = {
  kernelName: 'ResizeNearestNeighborGrad',
  backendName: 'cpu',
  create: () =>
    (({
      inputs: { images, dy },
      backend,
      attrs: { alignCorners },
    }: {
      inputs: { images: TensorInfo; dy: TensorInfo };
      backend: CpuBackend;
      attrs: { alignCorners: boolean };
    }) => {
      const [batch, height, width, channels] = images.shape;
      const rows = sources(height, dy.shape[1], alignCorners);
      const columns = sources(width, dy.shape[2], alignCorners);
      const from = backend.data.get(dy.dataId).values;
      const gradient = new Float32Array(batch * height * width * channels);
      let at = 0;
      for (let b = 0; b < batch; b++) {
        for (const row of rows) {
          for (const column of columns) {
            const to = ((b * height + row) * width + column) * channels;
            for (let c = 0; c < channels; c++) gradient[to + c] += from[at++];
          }
        }
      }
      return backend.makeTensorInfo(images.shape, 'float32', gradient);
    }) as unknown as KernelFunc,
};

/** Our kernels for the cpu backend. */
export const CPU_KERNELS: readonly KernelReplacement[] = [resizeNearestGradient];

/** Registers the kernels that the cpu backend computes wrongly. `@tensorflow/tfjs-backend-cpu` has to be imported before. */
export function registerCpuKernels(): void {
  registerKernels(CPU_KERNELS);
}

/** The parts of the cpu backend used here. */
interface CpuBackend {
  data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/** Input pixel that each output pixel is a copy of. */
function sources(size: number, outputSize: number, alignCorners: boolean): number[] {
  const isAligned = alignCorners && outputSize > 1;
  const scale = isAligned ? (size - 1) / (outputSize - 1) : size / outputSize;
  return Array.from({ length: outputSize }, (_, i) =>
    Math.min(size - 1, alignCorners ? Math.round(i * scale) : Math.floor(i * scale)),
  );
}
