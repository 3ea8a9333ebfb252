import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';

/** Registers kernels in place of those of the same name and backend; calling it again changes nothing. */
export function registerKernels(kernels: readonly KernelConfig[]): void {
  for (const kernel of kernels) {
    const { kernelName, backendName } = kernel;
    const present = getKernel(kernelName, backendName);
    if (present === kernel) continue;
    if (present !== undefined && present !== null) unregisterKernel(kernelName, backendName);
    registerKernel(kernel);
  }
}
