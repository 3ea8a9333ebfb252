import { backend_util, dispose, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { floatAttributes, type NativeAttribute, type NativeBackend } from './native-backend.ts';

interface Attributes {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: 'same' | 'valid' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Inputs = Record<'dy' | 'input' | 'output', TensorInfo>;

/** oneDNN's pooling: its forward pass notes the place of each maximum, which its gradient reads. */
function runOneDnn(native: NativeBackend, inputs: Inputs, pooling: NativeAttribute[]): Tensor {
  const { TF_ATTR_BOOL, TF_ATTR_STRING } = native.binding;
  const label = { name: '_kernel', type: TF_ATTR_STRING, value: 'MklNameChangeOp' };
  const enabled = { name: 'workspace_enabled', type: TF_ATTR_BOOL, value: true };
  const pooled = native.executeMultipleOutputs('_MklNativeMaxPool', [...pooling, label], [inputs.input], 2);
  const [output, places] = pooled;
  try {
    const attributes = [...pooling, enabled, label];
    const gradientInputs = [inputs.input, output, inputs.dy, places];
    return native.executeSingleOutput('_MklNativeMaxPoolGrad', attributes, gradientInputs);
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
      const native = params.backend as NativeBackend;
      const inputs = params.inputs as unknown as Inputs;
      const { filterSize, strides, pad, dimRoundingMode } = params.attrs as unknown as Attributes;
      const { input } = inputs;
      const shape = input.shape as [number, number, number, number];
      const pool = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
      const padding = pool.padInfo.type;
      const isCovered = padding === 'VALID' || padding === 'SAME';
      if (!isAvailable || !isCovered || input.dtype !== 'float32') return original(params);
      const { TF_ATTR_INT, TF_ATTR_STRING } = native.binding;
      try {
        return runOneDnn(native, inputs, [
          ...floatAttributes(native),
          { name: 'ksize', type: TF_ATTR_INT, value: [1, pool.filterHeight, pool.filterWidth, 1] },
          { name: 'strides', type: TF_ATTR_INT, value: [1, pool.strideHeight, pool.strideWidth, 1] },
          { name: 'padding', type: TF_ATTR_STRING, value: padding },
        ]);
      } catch {
        isAvailable = false;
        return original(params);
      }
    };
  },
};
