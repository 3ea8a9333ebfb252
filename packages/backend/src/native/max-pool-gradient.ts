import { backend_util, dispose, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { type NativeAttributes, runNative } from './run-native.ts';

interface Attributes {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: 'same' | 'valid' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Inputs = Record<'dy' | 'input' | 'output', TensorInfo>;

/** oneDNN's pooling: its forward pass notes the place of each maximum, which its gradient reads. */
function runOneDnn(inputs: Inputs, pooling: NativeAttributes): Tensor {
  const labelled = { ...pooling, _kernel: 'MklNameChangeOp' };
  const pooled = runNative('_MklNativeMaxPool', [inputs.input], 2, ['T'], labelled);
  const [output, places] = pooled;
  try {
    const gradientInputs = [inputs.input, output, inputs.dy, places];
    const attributes = { ...labelled, workspace_enabled: true };
    return runNative('_MklNativeMaxPoolGrad', gradientInputs, 1, ['T'], attributes)[0];
  } finally {
    dispose(pooled);
  }
}

/**
 * MaxPoolGrad through oneDNN's pooling, run once more for the places of the maxima: TensorFlow's own kernel finds them with
 * scalar code and takes more than twice as long. Where the library has no such operations, its own kernel stays.
 */
export const maxPoolGradient: KernelReplacement = {
  kernelName: 'MaxPoolGrad',
  backendName: 'tensorflow',
  create(original) {
    let isAvailable = true;
    return (params) => {
      const inputs = params.inputs as unknown as Inputs;
      const { filterSize, strides, pad, dimRoundingMode } = params.attrs as unknown as Attributes;
      const { input } = inputs;
      const shape = input.shape as [number, number, number, number];
      const pool = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
      const padding = pool.padInfo.type;
      const isCovered = padding === 'VALID' || padding === 'SAME';
      if (!isAvailable || !isCovered || input.dtype !== 'float32') return original(params);
      try {
        return runOneDnn(inputs, {
          data_format: 'NHWC',
          ksize: [1, pool.filterHeight, pool.filterWidth, 1],
          strides: [1, pool.strideHeight, pool.strideWidth, 1],
          padding,
        });
      } catch {
        isAvailable = false;
        return original(params);
      }
    };
  },
};
