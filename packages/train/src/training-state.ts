import { withDefaults } from '@voxface/landmarks';
import type { NetworkName, TrainedNetworks } from './networks.ts';

/** Everything about one network that a run carries from step to step. */
export interface NetworkState {
  /** Trainable parameters [size]; the networks on the device are copies of it. */
  readonly parameters: Float32Array;
  /** Running statistics of batch normalisation [k], brought up to date before evaluations and checkpoints. */
  readonly statistics: Float32Array;
  readonly adam: AdamState;
  /** Exponential moving averages of both. */
  readonly average?: { readonly parameters: Float32Array; readonly statistics: Float32Array };
  /** Shapes of the parameters, compared when a run is resumed. */
  readonly signature: string;
}

/** State of a run after a whole number of steps. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  /** mu of Eq. 12. */
  mu: number;
  /** Best validation error so far, as a fraction, and the step it was seen at. */
  best?: { error: number; step: number };
  /** Steps that stages took which ended before their last step, by index. */
  ended?: Record<number, number>;
  readonly networks: Partial<Record<NetworkName, NetworkState>>;
}

/** Reads the state of a run that starts from the networks as they are. */
export async function createTrainingState(
  networks: TrainedNetworks,
  averaged: boolean,
): Promise<TrainingState> {
  const states: Partial<Record<NetworkName, NetworkState>> = {};
  for (const [name, weights] of Object.entries(networks.weights)) {
    const parameters = await weights.trainable.read();
    const statistics = await weights.statistics.read();
    states[name as NetworkName] = {
      parameters,
      statistics,
      adam: createAdamState(parameters.length),
      ...(averaged && { average: { parameters: parameters.slice(), statistics: statistics.slice() } }),
      signature: `${weights.trainable.signature}|${weights.statistics.signature}`,
    };
  }
  return { step: 0, mu: 0, networks: states };
}

/** Moves an exponential moving average in place: average = decay * average + (1 - decay) * values. */
export function moveAverage(average: Float32Array, values: Float32Array, decay: number): void {
  const rest = 1 - decay;
  for (let i = 0; i < average.length; i++) average[i] += rest * (values[i] - average[i]);
}

/** Adam of Kingma and Ba; the paper trains with it (Sec. IV-A). */
export interface AdamOptions {
  beta1: number;
  beta2: number;
  /** 1e-8, not the 1e-7 of TensorFlow.js: with density volumes the gradients of single voxels are that small. */
  epsilon: number;
  /** Decoupled weight decay per unit of learning rate (AdamW); 0 is plain Adam. */
  weightDecay: number;
}

export const ADAM_DEFAULTS: Required<AdamOptions> = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};

/** State of one network's optimizer; plain arrays, so that checkpoints and worker threads share it as it is. */
export interface AdamState {
  /** First moments [size]. */
  readonly first: Float32Array;
  /** Second moments [size]. */
  readonly second: Float32Array;
  /** Updates made so far. */
  step: number;
}

/** Fresh state for `size` parameters. */
export function createAdamState(size: number): AdamState {
  return { first: new Float32Array(size), second: new Float32Array(size), step: 0 };
}

/**
 * One Adam update in place, on host arrays: one pass over the parameters instead of a dozen kernels per variable.
 * @param parameters [size], changed in place.
 * @param gradient [size].
 * @param scale factor on the gradient (clipping, loss scale).
 * @throws RangeError when the sizes differ.
 */
export function adamUpdate(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  learningRate: number,
  options: Partial<AdamOptions> = {},
  scale = 1,
): void {
  const { beta1, beta2, epsilon, weightDecay } = withDefaults(ADAM_DEFAULTS, options);
  const { first, second } = state;
  const size = parameters.length;
  if (gradient.length !== size || first.length !== size || second.length !== size) {
    throw new RangeError(
      `adamUpdate: expected ${size} gradients and moments, got ${gradient.length} and ${first.length} (one state per network)`,
    );
  }
  state.step++;
  const correction1 = 1 - beta1 ** state.step;
  const root2 = Math.sqrt(1 - beta2 ** state.step);
  const rate = (learningRate * root2) / correction1;
  const guard = epsilon * root2;
  const keep = 1 - learningRate * weightDecay;
  const rest1 = 1 - beta1;
  const rest2 = 1 - beta2;
  for (let i = 0; i < size; i++) {
    const g = gradient[i] * scale;
    const m = beta1 * first[i] + rest1 * g;
    const v = beta2 * second[i] + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] = parameters[i] * keep - (rate * m) / (Math.sqrt(v) + guard);
  }
}

/** Euclidean norm of a gradient; not finite as soon as one entry is not. */
export function gradientNorm(gradient: Float32Array): number {
  let total = 0;
  for (let i = 0; i < gradient.length; i++) total += gradient[i] * gradient[i];
  return Math.sqrt(total);
}
