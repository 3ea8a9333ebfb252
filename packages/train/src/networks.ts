import {
  concat,
  reshape,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { accelerateTraining } from '@voxface/backend';
import { withDefaults } from '@voxface/landmarks';
import {
  createFaceShapeModel,
  createVolumeDiscriminator,
  estimateFlatVolumes,
  type FaceShapeModel,
  type FaceShapeModelOptions,
  presetOptions,
  regressCoordinates,
  regressorFeed,
  type VolumeDiscriminator,
} from '@voxface/models';
import type { TrainingConfig } from './config.ts';

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

/** Options of the model that a configuration asks for, with the run's seed unless it sets its own. */
export function modelOptionsOf({ model, seed }: TrainingConfig): Partial<FaceShapeModelOptions> {
  if (typeof model === 'string') return { seed, ...presetOptions(model) };
  const { preset, ...overrides } = model;
  return withDefaults(
    { seed, ...(preset !== undefined && presetOptions(preset)) },
    overrides as Partial<FaceShapeModelOptions>,
  );
}

/**
 * Creates the networks of a run on the current backend, D only where a stage trains it.
 * @param start a model to go on from. @param judge its discriminator, of the configuration's options.
 */
export function createRunNetworks(
  config: TrainingConfig,
  start?: FaceShapeModel,
  judge?: VolumeDiscriminator,
): TrainedNetworks {
  const model = start ?? createFaceShapeModel(modelOptionsOf(config));
  const { shared, stages, decoderChannels, bottleneck } = config.discriminator;
  if (!needsDiscriminator(config)) return listNetworks(model, undefined, shared);
  const options = { shared, stages, decoderChannels, bottleneck };
  return listNetworks(model, judge ?? createVolumeDiscriminator(model, options), shared);
}

/** Whether a stage of the run trains D. */
export function needsDiscriminator({ stages }: TrainingConfig): boolean {
  return stages.some(({ kind }) => kind === 'adversarial' || kind === 'pretrain-discriminator');
}

/** What the discriminator returns for one set of volumes. */
export interface Discrimination {
  /** Reconstructed volumes per stage [b, h, w, d_m * c]. */
  readonly reconstructed: Tensor4D[];
  /** [b, n, 3] crop unit coordinates, where D shares P's encoder. */
  readonly coordinates?: Tensor3D;
}

/** Runs D on volumes [b, h, w, d_m * c] and images, with batch statistics. */
export function discriminate(
  networks: TrainedNetworks,
  volumes: readonly Tensor4D[],
  images: Tensor4D,
): Discrimination {
  const { model, discriminator } = networks;
  if (discriminator === undefined) {
    throw new Error('discriminate: this run has no discriminator (give the trainer one)');
  }
  const result = discriminator.network.apply(regressorFeed(model, volumes, images), { training: true });
  const outputs = (Array.isArray(result) ? result : [result]) as Tensor[];
  return networks.shared
    ? { reconstructed: outputs.slice(0, -1) as Tensor4D[], coordinates: outputs.at(-1) as Tensor3D }
    : { reconstructed: outputs as Tensor4D[] };
}

/** Runs G with batch statistics; [b, h, w, d_m * c] per stage. */
export function estimate(networks: TrainedNetworks, images: Tensor4D): Tensor4D[] {
  return estimateFlatVolumes(networks.model, images, true);
}

/** Runs P with batch statistics; [b, n, 3]. */
export function regress(networks: TrainedNetworks, volumes: readonly Tensor4D[], images: Tensor4D): Tensor3D {
  return regressCoordinates(networks.model, volumes, images, true);
}

/** Runs `f` and puts the running statistics of the named networks back to what they were. */
export function keepingStatistics<T>(
  networks: TrainedNetworks,
  names: readonly NetworkName[],
  f: () => T,
): T {
  const sets = selectNetworks(networks, names).map((weights) => weights.statistics);
  const snapshots = sets.map((set) => set.snapshot());
  try {
    return f();
  } finally {
    sets.forEach((set, i) => {
      set.restore(snapshots[i]);
    });
  }
}

/** The part of a tfjs-layers weight that training needs. */
export interface WeightVariable {
  readonly name: string;
  readonly originalName?: string;
  readonly shape: readonly (number | null)[];
  read(): Tensor;
  write(value: Tensor): unknown;
}

/**
 * An ordered list of weights seen as one flat vector. The order is that of the list and is part of every
 * checkpoint (`signature`).
 */
export interface ParameterSet {
  /** Total number of values. */
  readonly size: number;
  readonly variables: readonly Variable[];
  /** Shapes in order; two sets with equal signatures can exchange vectors. */
  readonly signature: string;
  /** Downloads the values [size]. */
  read(): Promise<Float32Array>;
  /** Uploads the values [size]. */
  write(values: Float32Array): void;
  /** Concatenates one tensor per weight (missing ones count as zero) into a flat tensor [size]. */
  flatten(tensors: Record<string, Tensor>): Tensor;
  /** Views of the weights' tensors as they are now, to be given to `restore`. */
  snapshot(): Tensor[];
  /** Writes a snapshot back and disposes it. */
  restore(snapshot: readonly Tensor[]): void;
}

/** Wraps weights, for example `model.trainableWeights`. */
export function createParameterSet(weights: readonly WeightVariable[]): ParameterSet {
  const shapes = weights.map((weight) => weight.shape as number[]);
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  const size = sizes.reduce((a, b) => a + b, 0);
  const variables = weights.map((weight) => weight.read() as Variable);
  const flat = (tensors: readonly Tensor[]): Tensor =>
    tensors.length === 0 ? tensor([], [0]) : concat(tensors.map((t, i) => reshape(t, [sizes[i]])));
  return {
    size,
    variables,
    signature: shapes.map((shape) => shape.join('x')).join(','),
    async read() {
      const joined = tidy(() => flat(weights.map((weight) => weight.read())));
      const values = Float32Array.from(await joined.data());
      joined.dispose();
      return values;
    },
    write(values) {
      if (values.length !== size) {
        throw new RangeError(`ParameterSet.write: expected ${size} values, got ${values.length}`);
      }
      let start = 0;
      weights.forEach((weight, i) => {
        const value = tensor(values.slice(start, start + sizes[i]), shapes[i], 'float32');
        weight.write(value);
        value.dispose();
        start += sizes[i];
      });
    },
    flatten: (tensors) =>
      tidy(() =>
        flat(variables.map((v, i) => tensors[v.name] ?? tensor(new Float32Array(sizes[i]), shapes[i]))),
      ),
    snapshot: () => weights.map((weight) => weight.read().clone()),
    restore(snapshot) {
      weights.forEach((weight, i) => {
        weight.write(snapshot[i]);
        snapshot[i].dispose();
      });
    },
  };
}
