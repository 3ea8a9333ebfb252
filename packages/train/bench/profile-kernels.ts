import {
  backend,
  getBackend,
  getKernelsForBackend,
  registerKernel,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** Calls and milliseconds of one kernel in one step. */
export interface KernelTime {
  kernel: string;
  calls: number;
  milliseconds: number;
}

/** Times of the calls of several steps. */
export interface KernelProfile {
  /** Ends a step. */
  endStep(): void;
  /**
   * Times per kernel of one step, most expensive first. Steps make the same calls in the same order, so each call
   * counts with its fastest step: that is its time on an idle machine, whatever else runs.
   */
  take(): KernelTime[];
}

interface Binding {
  executeOp(name: string, ...rest: unknown[]): unknown;
}

/**
 * Wraps every kernel of the current backend (or every operation of the native one) with a stopwatch. Honest only on
 * backends whose kernels return when they are done (cpu, wasm, native); composed kernels include their parts.
 */
export function profileKernels(): KernelProfile {
  let steps: [string, number][][] = [];
  let calls: [string, number][] = [];
  const timed = <T>(name: string, run: () => T): T => {
    const start = performance.now();
    const result = run();
    calls.push([name, performance.now() - start]);
    return result;
  };
  if (getBackend() === 'tensorflow') {
    const native = backend() as unknown as { binding: Binding };
    const { executeOp } = native.binding;
    native.binding = Object.create(native.binding, {
      executeOp: { value: (name: string, ...rest: unknown[]) => timed(name, () => executeOp(name, ...rest)) },
    }) as Binding;
  } else {
    for (const config of getKernelsForBackend(getBackend())) {
      const { kernelName, kernelFunc } = config;
      unregisterKernel(kernelName, getBackend());
      registerKernel({ ...config, kernelFunc: (params) => timed(kernelName, () => kernelFunc(params)) });
    }
  }
  return {
    endStep() {
      steps.push(calls);
      calls = [];
    },
    take() {
      const same = steps.filter((step) => step.length === steps[steps.length - 1].length);
      const totals = new Map<string, KernelTime>();
      same[0].forEach(([kernel], i) => {
        const entry = totals.get(kernel) ?? { kernel, calls: 0, milliseconds: 0 };
        entry.calls++;
        entry.milliseconds += Math.min(...same.map((step) => step[i][1]));
        totals.set(kernel, entry);
      });
      steps = [];
      return [...totals.values()].sort((a, b) => b.milliseconds - a.milliseconds);
    },
  };
}
