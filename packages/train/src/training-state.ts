import { type AdamState, createAdamState } from './adam.ts';
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
