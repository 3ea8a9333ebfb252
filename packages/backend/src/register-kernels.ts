import {
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** A kernel that takes over from the registered one, and may hand calls that it does not cover on to it. */
export interface KernelReplacement {
  kernelName: string;
  backendName: string;
  /** @param original the backend's own kernel; throws when called if there is none. */
  create(original: KernelFunc): KernelFunc;
}

const registered = new WeakSet<KernelConfig>();

/** Registers kernels in place of those of the same name and backend; calling it again changes nothing. */
export function registerKernels(replacements: readonly KernelReplacement[]): void {
  for (const { kernelName, backendName, create } of replacements) {
    const present: KernelConfig | undefined = getKernel(kernelName, backendName) ?? undefined;
    if (present !== undefined && registered.has(present)) continue;
    if (present !== undefined) unregisterKernel(kernelName, backendName);
    const missing: KernelFunc = () => {
      throw new Error(`${kernelName}: the ${backendName} backend takes float32 and int32 tensors only`);
    };
    // The original's set-up must still run: `create` may call it.
    const config: KernelConfig = {
      ...present,
      kernelName,
      backendName,
      kernelFunc: create(present?.kernelFunc ?? missing),
    };
    registered.add(config);
    registerKernel(config);
  }
}
