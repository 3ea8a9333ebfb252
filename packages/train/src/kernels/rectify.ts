import { customGrad, mul, relu, step, type Tensor } from '@tensorflow/tfjs-core';
import { isNative, runNative } from '@voxface/backend';

/** ReLU whose gradient is one kernel on the native backend (TensorFlow.js composes it of six). Any shape. */
export function rectify(x: Tensor): Tensor {
  const operation = customGrad((...args: unknown[]) => {
    const value = relu(x);
    (args[1] as (tensors: Tensor[]) => void)([value]);
    const gradFunc = (dy: Tensor, [output]: Tensor[]): Tensor =>
      isNative() ? runNative('ReluGrad', [dy, output], 1, ['T'])[0] : mul(dy, step(output));
    return { value, gradFunc };
  });
  return operation(x);
}
