import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { type KernelModule, kernelModuleOf } from './kernel-module.ts';

/** What a kernel is called with. */
export interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
  kernels: KernelModule;
}

/**
 * A kernel of ours for the wasm backend.
 *
 * @param run computes the outputs, or returns undefined for a call that the backend's own kernel should serve.
 */
export function defineKernel<Inputs, Attributes>(
  kernelName: string,
  run: (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[] | undefined,
): KernelReplacement {
  return {
    kernelName,
    backendName: 'wasm',
    create: (original): KernelFunc => {
      return (params) => {
        const inputs = params.inputs as unknown as Inputs;
        const attrs = params.attrs as unknown as Attributes;
        return run({ inputs, attrs, kernels: kernelModuleOf(params.backend) }) ?? original(params);
      };
    },
  };
}
