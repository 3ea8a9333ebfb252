import {
  backend,
  getBackend,
  getKernelsForBackend,
  type KernelBackend,
  type KernelFunc,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/** One call of a kernel, as the engine made it. */
export interface KernelCall {
  readonly name: string;
  readonly kernel: KernelFunc;
  /** Inputs by name; an array for kernels that take a list. */
  readonly inputs: KernelInputs;
  readonly attrs: NamedAttrMap;
  readonly outputs: readonly TensorInfo[];
}

/** Tensors by name or by position; optional ones may be undefined. */
type KernelInputs = Readonly<Record<string, TensorInfo | undefined>> | readonly TensorInfo[];

/**
 * Runs `body` and reports every kernel of the current backend that the engine runs meanwhile, in order, and every
 * tensor made from values. Kernels that a kernel runs for itself are part of it and not reported.
 * @throws Error when `body` reads the values of a tensor: what it does with them would escape the report.
 */
export function observeKernels<T>(
  body: () => T,
  report: (call: KernelCall) => void,
  reportWrite: (dataId: object) => void,
): T {
  const kernels = getKernelsForBackend(getBackend());
  const originals = kernels.map((kernel) => kernel.kernelFunc);
  let depth = 0;
  const transfers = watchTransfers(backend(), () => depth === 0, reportWrite);
  kernels.forEach((kernel, i) => {
    kernel.kernelFunc = (params) => {
      depth++;
      try {
        const result = originals[i](params);
        if (depth === 1) {
          const inputs = params.inputs as KernelInputs;
          const outputs = Array.isArray(result) ? result : [result];
          report({
            name: kernel.kernelName,
            kernel: originals[i],
            inputs,
            attrs: params.attrs ?? {},
            outputs,
          });
        }
        return result;
      } finally {
        depth--;
      }
    };
  });
  try {
    return body();
  } finally {
    transfers.restore();
    kernels.forEach((kernel, i) => {
      kernel.kernelFunc = originals[i];
    });
  }
}

/** Watches values that go to and come from a backend outside its kernels. */
function watchTransfers(
  target: KernelBackend,
  isOutside: () => boolean,
  reportWrite: (dataId: object) => void,
): { restore(): void } {
  const restores: (() => void)[] = [];
  const replace = (name: 'read' | 'readSync' | 'write', wrap: (original: Method) => Method): void => {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const value = wrap((target[name] as Method).bind(target));
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    restores.push(() => {
      if (own) Object.defineProperty(target, name, own);
      else delete (target as unknown as Record<string, unknown>)[name];
    });
  };
  for (const name of ['read', 'readSync'] as const) {
    replace(name, (original) => (...args) => {
      if (!isOutside()) return original(...args);
      throw new Error(
        'recordProgram: values of tensors must not be read while kernels are recorded, got a read (return the tensor and read it afterwards)',
      );
    });
  }
  replace('write', (original) => (...args) => {
    const dataId = original(...args);
    if (isOutside() && args[0] != null) reportWrite(dataId as object);
    return dataId;
  });
  return {
    restore() {
      for (const restore of restores) restore();
    },
  };
}

type Method = (...args: unknown[]) => unknown;
