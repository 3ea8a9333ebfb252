import { type KernelReplacement, registerKernels } from '../register-kernels.ts';
import { CONVOLUTION_KERNELS } from './kernels/convolution-kernels.ts';
import { MATRIX_KERNELS } from './kernels/matrix-kernels.ts';
import { MOVEMENT_KERNELS } from './kernels/movement-kernels.ts';
import { NORMALIZATION_KERNELS } from './kernels/normalization-kernels.ts';
import { POOLING_KERNELS } from './kernels/pooling-kernels.ts';
import { REDUCTION_KERNELS } from './kernels/reduction-kernels.ts';

/** Our kernels for the wasm backend. */
export const WASM_KERNELS: readonly KernelReplacement[] = [
  ...CONVOLUTION_KERNELS,
  ...POOLING_KERNELS,
  ...REDUCTION_KERNELS,
  ...MATRIX_KERNELS,
  ...MOVEMENT_KERNELS,
  ...NORMALIZATION_KERNELS,
];

/**
 * Registers our kernels for the wasm backend: those that it lacks, and those that it computes wrongly or slowly.
 * Calling it again changes nothing. `@tensorflow/tfjs-backend-wasm` has to be imported before.
 */
export function registerWasmKernels(): void {
  registerKernels(WASM_KERNELS);
}
