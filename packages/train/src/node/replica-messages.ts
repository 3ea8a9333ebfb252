import type { FaceShapeModelOptions } from '@voxface/models';
import type { TrainingConfig } from '../config.ts';
import type { NetworkName } from '../networks.ts';
import type { PhaseName } from '../phases.ts';
import type { StepSamples, StepTimes } from '../replica.ts';

/** What a worker thread is started with. */
export interface ReplicaSetup {
  readonly config: TrainingConfig;
  readonly model: FaceShapeModelOptions;
}

/** Memory that the coordinating thread and one worker share, per network. */
export interface SharedVectors {
  /** Parameters of the run, the same memory for every worker. */
  readonly parameters: SharedArrayBuffer;
  /** The worker's gradient. */
  readonly gradient: SharedArrayBuffer;
}

/** Requests to a worker; each is answered once, in order. */
export type ReplicaRequest =
  | { readonly kind: 'share'; readonly vectors: Readonly<Partial<Record<NetworkName, SharedVectors>>> }
  | { readonly kind: 'load'; readonly samples: StepSamples }
  | { readonly kind: 'compute'; readonly phase: PhaseName; readonly mu: number }
  | { readonly kind: 'write'; readonly name: NetworkName }
  | { readonly kind: 'energy' }
  | { readonly kind: 'read-statistics'; readonly name: NetworkName }
  | { readonly kind: 'write-statistics'; readonly name: NetworkName; readonly values: Float32Array }
  | { readonly kind: 'close' };

/** Result of a computation; the gradients lie in shared memory. */
export interface WorkerPhaseResult {
  readonly losses: Record<string, number>;
  readonly names: readonly NetworkName[];
  readonly times: StepTimes;
}

/** Answers of a worker. */
export type ReplicaAnswer = { readonly value: unknown } | { readonly error: string };
