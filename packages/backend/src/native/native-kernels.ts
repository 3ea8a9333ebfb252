import { backend_util, dispose, type Tensor, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type KernelReplacement, registerKernels } from '../register-kernels.ts';
import { conv2dFilterGradient, conv3dFilterGradient, conv3dInputGradient } from './convolution-gradients.ts';
import { type NativeAttributes, runNative } from './run-native.ts';
import { isTracing } from './trace-operations.ts';

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
      if (!isAvailable || isTracing() || !isCovered || input.dtype !== 'float32') return original(params);
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

/**
 * Sum over all axes but the last, the gradient of a bias, through BiasAddGrad: three times as fast as the general Sum,
 * and without a tensor of axes. Other sums stay with the backend's own kernel.
 */
export const sumRows: KernelReplacement = {
  kernelName: 'Sum',
  backendName: 'tensorflow',
  create: (original) => (params) => {
    const { x } = params.inputs as unknown as { x: TensorInfo };
    const { axis, keepDims } = params.attrs as unknown as { axis: number | number[]; keepDims: boolean };
    const rank = x.shape.length;
    const axes = util.parseAxisParam(axis, x.shape);
    const isOverRows =
      axes.length === rank - 1 && rank > 1 && rank < 6 && axes.every((reduced) => reduced < rank - 1);
    if (!isOverRows || keepDims || x.dtype !== 'float32' || util.sizeFromShape(x.shape) === 0)
      return original(params);
    return runNative('BiasAddGrad', [x], 1, ['T'], { data_format: 'NHWC' })[0];
  },
};

/** Our kernels for TensorFlow's backend on the CPU: same values, less time. */
export const NATIVE_KERNELS: readonly KernelReplacement[] = [
  maxPoolGradient,
  sumRows,
  conv2dFilterGradient,
  conv3dInputGradient,
  conv3dFilterGradient,
];

/** Registers faster kernels for training with tfjs-node on the CPU. tfjs-node has to be loaded before. */
export function registerNativeKernels(): void {
  registerKernels(NATIVE_KERNELS);
}

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
