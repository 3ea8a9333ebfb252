import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import {
  conv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  conv3D,
  conv3DBackpropFilter,
  conv3DBackpropInput,
} from './kernels/convolution-kernels.ts';
import { maxPool3D } from './kernels/max-pool-3d.ts';
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
  unsortedSegmentSum,
];

/**
 * Registers our kernels for the wasm backend: those that it lacks, and those that it computes wrongly or slowly.
 * Calling it again changes nothing. `@tensorflow/tfjs-backend-wasm` has to be imported before.
 */
export function registerWasmKernels(): void {
  for (const kernel of WASM_KERNELS) {
    const present = getKernel(kernel.kernelName, 'wasm');
    if (present === kernel) continue;
    if (present !== undefined && present !== null) unregisterKernel(kernel.kernelName, 'wasm');
    registerKernel(kernel);
  }
}
