import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { runNative } from './run-native.ts';

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
