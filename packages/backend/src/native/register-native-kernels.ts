import { type KernelReplacement, registerKernels } from '../register-kernels.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { sumRows } from './sum-rows.ts';

/** Our kernels for TensorFlow's backend on the CPU: same values, less time. */
export const NATIVE_KERNELS: readonly KernelReplacement[] = [maxPoolGradient, sumRows];

/** Registers faster kernels for training with tfjs-node on the CPU. tfjs-node has to be loaded before. */
export function registerNativeKernels(): void {
  registerKernels(NATIVE_KERNELS);
}
