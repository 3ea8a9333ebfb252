import { type KernelReplacement, registerKernels } from '../register-kernels.ts';
import { resizeNearestGradient } from './resize-nearest-gradient.ts';

/** Our kernels for the cpu backend. */
export const CPU_KERNELS: readonly KernelReplacement[] = [resizeNearestGradient];

/** Registers the kernels that the cpu backend computes wrongly. `@tensorflow/tfjs-backend-cpu` has to be imported before. */
export function registerCpuKernels(): void {
  registerKernels(CPU_KERNELS);
}
