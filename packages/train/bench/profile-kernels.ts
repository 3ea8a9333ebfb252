import { getKernelsForBackend, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';

/** Calls and milliseconds of one kernel. */
export interface KernelTime {
  kernel: string;
  calls: number;
  milliseconds: number;
}

/**
 * Wraps every kernel of a backend with a stopwatch. Honest only on backends whose kernels return when they are done
 * (cpu, wasm, tensorflow); composed kernels include the kernels that they call.
 * @returns a function that reads and clears the times, most expensive first.
 */
export function profileKernels(backendName: string): () => KernelTime[] {
  const times = new Map<string, KernelTime>();
  for (const config of getKernelsForBackend(backendName)) {
    const { kernelName, kernelFunc } = config;
    unregisterKernel(kernelName, backendName);
    registerKernel({
      ...config,
      kernelFunc: (params) => {
        const start = performance.now();
        const result = kernelFunc(params);
        const entry = times.get(kernelName) ?? { kernel: kernelName, calls: 0, milliseconds: 0 };
        entry.calls++;
        entry.milliseconds += performance.now() - start;
        times.set(kernelName, entry);
        return result;
      },
    });
  }
  return () => {
    const list = [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
    times.clear();
    return list;
  };
}
