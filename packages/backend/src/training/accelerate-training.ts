import {
  customGrad,
  mul,
  relu,
  step,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { isNative, runNative } from '../native/run-native.ts';
import { normalizeBatch } from '../operations/batch-normalize.ts';

type Layer = layers.Layer;
type Call = Layer['call'];

/** Fields of tfjs-layers' batch normalisation, stable in TensorFlow.js 4.x. */
interface NormalizationFields {
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma: { read(): Tensor1D };
  readonly beta: { read(): Tensor1D };
  readonly movingMean: Statistic;
  readonly movingVariance: Statistic;
}

interface Statistic {
  read(): Tensor1D;
  write(value: Tensor): unknown;
}

/**
 * Replaces the training pass of batch normalisation and ReLU layers by faster operations with the same values.
 * Prediction, configuration and weights of the layers stay as they are; calling it again changes nothing.
 */
export function accelerateTraining(network: { readonly layers: readonly Layer[] }): void {
  for (const layer of network.layers) {
    const nested = (layer as unknown as { layers?: Layer[] }).layers;
    if (nested !== undefined) accelerateTraining({ layers: nested });
    const call = fasterCall(layer);
    if (call === undefined || accelerated.has(layer)) continue;
    accelerated.add(layer);
    const original = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => (kwargs?.training ? call(inputs, kwargs) : original(inputs, kwargs));
  }
}

const accelerated = new WeakSet<Layer>();

function fasterCall(layer: Layer): Call | undefined {
  switch (layer.getClassName()) {
    case 'BatchNormalization':
      return (inputs) =>
        trainNormalization(layer as unknown as NormalizationFields, single(inputs) as Tensor4D);
    case 'ReLU':
      return (inputs) => rectify(single(inputs));
    default:
      return undefined;
  }
}

function trainNormalization(layer: NormalizationFields, x: Tensor4D): Tensor {
  return tidy(() => {
    const { gamma, beta, epsilon, movingMean, movingVariance, momentum } = layer;
    const running = { mean: movingMean.read(), variance: movingVariance.read(), momentum };
    const { output, mean, variance } = normalizeBatch(x, gamma.read(), beta.read(), epsilon, running);
    movingMean.write(mean);
    movingVariance.write(variance);
    return output;
  });
}

function single(inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? inputs[0] : inputs;
}

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
