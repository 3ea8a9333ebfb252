import type { KernelConfig } from '@tensorflow/tfjs-core';
import { registerKernels } from '../register-kernels.ts';
import {
  conv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  conv3D,
  conv3DBackpropFilter,
  conv3DBackpropInput,
} from './kernels/convolution-kernels.ts';
import { maxPool3D, maxPool3DGradient, maxPoolGradient } from './kernels/pooling-kernels.ts';
import { unsortedSegmentSum } from './kernels/unsorted-segment-sum.ts';

/** Our kernels for the wasm backend. */
export const WASM_KERNELS: readonly KernelConfig[] = [
  conv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  conv3D,
  conv3DBackpropFilter,
  conv3DBackpropInput,
  maxPool3D,
  maxPool3DGradient,
  maxPoolGradient,
  unsortedSegmentSum,
];

/**
 * Registers our kernels for the wasm backend: those that it lacks, and those that it computes wrongly or slowly.
 * Calling it again changes nothing. `@tensorflow/tfjs-backend-wasm` has to be imported before.
 */
export function registerWasmKernels(): void {
  registerKernels(WASM_KERNELS);
}
