import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Candidate } from './non-max-suppression.ts';

/** A detector's network: a square picture in, candidate boxes out. */
export interface DetectionNetwork {
  /** Overlap above which the less certain of two candidates is dropped. */
  readonly overlap: number;
  /** Runs on the current backend. `image` is [1, size, size, 3] in 0..255. */
  run(image: Tensor4D): Tensor[];
  /** Reads candidates of at least `minScore` from the downloaded outputs of `run`. */
  decode(outputs: readonly Float32Array[], shapes: readonly number[][], minScore: number): Candidate[];
  dispose(): void;
}

/** Weights by the names of `@vladmandic/face-api`'s manifests. */
export type NamedWeights = Record<string, Tensor>;
