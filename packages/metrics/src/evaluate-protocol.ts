import { createAccumulator, type Evaluation } from './create-accumulator.ts';
import type { Protocol } from './protocols.ts';
import type { ScoredFace } from './score-face.ts';

/**
 * Scores a set of faces by a protocol: `createAccumulator`, `update` for each face, `compute`.
 * @param protocol a protocol or its name, see `PROTOCOLS`.
 * @throws RangeError with the face's id for degenerate input, and for an empty set.
 */
export function evaluateProtocol(protocol: Protocol | string, faces: Iterable<ScoredFace>): Evaluation {
  const accumulator = createAccumulator(protocol);
  for (const face of faces) accumulator.update(face);
  return accumulator.compute();
}
