import { type Tensor, type Tensor1D, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { normalizeBatch } from './normalize-batch.ts';
import { rectify } from './rectify.ts';

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
    const call = accelerated(layer);
    if (call === undefined || accelerateds.has(layer)) continue;
    accelerateds.add(layer);
    const original = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => (kwargs?.training ? call(inputs, kwargs) : original(inputs, kwargs));
  }
}

const accelerateds = new WeakSet<Layer>();

function accelerated(layer: Layer): Call | undefined {
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
