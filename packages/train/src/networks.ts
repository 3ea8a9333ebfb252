import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FaceShapeModel, VolumeDiscriminator } from '@voxface/models';
import { accelerateTraining } from './kernels/accelerate-training.ts';
import { createParameterSet, type ParameterSet, type WeightVariable } from './parameters.ts';

/** G, P and D of the paper. */
export type NetworkName = 'estimator' | 'regressor' | 'discriminator';

/** What an optimizer and a checkpoint see of one network. */
export interface NetworkWeights {
  /** Weights that its optimizer updates. */
  readonly trainable: ParameterSet;
  /** Running statistics of batch normalisation. */
  readonly statistics: ParameterSet;
}

/** The networks of a run, ready to be trained. */
export interface TrainedNetworks {
  readonly model: FaceShapeModel;
  readonly discriminator?: VolumeDiscriminator;
  /** Whether D's encoder is P's. */
  readonly shared: boolean;
  readonly weights: Readonly<Partial<Record<NetworkName, NetworkWeights>>>;
}

/**
 * Lists the weights of each network. What a shared discriminator has in common with the regressor belongs to the
 * regressor, so that every weight has exactly one optimizer.
 */
export function listNetworks(
  model: FaceShapeModel,
  discriminator?: VolumeDiscriminator,
  shared = true,
): TrainedNetworks {
  for (const network of [model.estimator, model.regressor, discriminator?.network]) {
    if (network !== undefined) accelerateTraining(network);
  }
  const estimator = splitWeights(model.estimator, new Set());
  const regressor = splitWeights(model.regressor, new Set());
  const weights: Partial<Record<NetworkName, NetworkWeights>> = { estimator, regressor };
  if (discriminator !== undefined) {
    const owned = new Set([...weightsOf(model.regressor, true), ...weightsOf(model.regressor, false)]);
    weights.discriminator = splitWeights(discriminator.network, owned);
  }
  return { model, discriminator, shared, weights };
}

/** Weights of the named networks. */
export function selectNetworks(networks: TrainedNetworks, names: readonly NetworkName[]): NetworkWeights[] {
  return names.map((name) => {
    const weights = networks.weights[name];
    if (weights === undefined) {
      throw new Error(`selectNetworks: this run has no ${name} (give the trainer a discriminator)`);
    }
    return weights;
  });
}

function splitWeights(network: LayersModel, exclude: ReadonlySet<WeightVariable>): NetworkWeights {
  const keep = (weight: WeightVariable) => !exclude.has(weight);
  return {
    trainable: createParameterSet(weightsOf(network, true).filter(keep)),
    statistics: createParameterSet(weightsOf(network, false).filter(keep)),
  };
}

function weightsOf(network: LayersModel, trainable: boolean): WeightVariable[] {
  return (trainable ? network.trainableWeights : network.nonTrainableWeights) as unknown as WeightVariable[];
}
