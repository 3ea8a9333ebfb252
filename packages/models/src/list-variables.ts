import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/**
 * The trainable variables of a network in layer order, for `variableGrads` and optimizers.
 * Batch normalisation's running statistics are not among them.
 */
export function listVariables(network: LayersModel): Variable[] {
  return network.trainableWeights.map((weight) => weight.read() as Variable);
}
