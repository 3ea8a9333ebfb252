import {
  applySimilarity,
  countLandmarks,
  fitSimilarity,
  type Landmarks,
  mapLandmarks,
  toPlane,
} from '@voxface/landmarks';
import { nme } from './nme.ts';
import type { Protocol } from './protocols.ts';

/** One face with its prediction and its truth, both in image pixels and voxface axes. */
export interface ScoredFace {
  /** Unique in its set; every error message about the face begins with it. */
  readonly id: string;
  /** In the protocol's scheme, or in the scheme that its map starts from. */
  readonly preds: Landmarks;
  /** In the protocol's scheme, or in the scheme that its map starts from. */
  readonly target: Landmarks;
  /** Shape that the normalizer measures; needed where `target` itself is a subset (the 68 landmarks behind 21). */
  readonly reference?: Landmarks;
  /** [n] 1 = visible, in the scheme of `target` or in the scored one. */
  readonly visible?: ArrayLike<number>;
  /** Degrees, any sign convention. */
  readonly yaw?: number;
  /** Degrees, where the set says them: the result is broken down by them too. */
  readonly pitch?: number;
  readonly roll?: number;
  /** Names of the protocol's subsets that the face belongs to, where its identifier does not say it (WFLW's flags). */
  readonly parts?: readonly string[];
}

/**
 * Error of one face under a protocol.
 * @returns a fraction.
 * @throws RangeError that begins with the face's id: wrong counts or dimensions, no visibility where the protocol
 * needs it, coordinates that are not finite, a degenerate truth.
 */
export function scoreFace(protocol: Protocol, face: ScoredFace): number {
  try {
    return score(protocol, face);
  } catch (error) {
    throw new RangeError(`${face.id}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function score(protocol: Protocol, face: ScoredFace): number {
  const { map, scheme, name } = protocol;
  const target = scoredLandmarks(protocol, face.target, 'target');
  let preds = scoredLandmarks(protocol, face.preds, 'preds');
  const isSubset = map !== undefined && countLandmarks(face.target) === scheme.count;
  if (isSubset && !face.reference) {
    throw new RangeError(`${name} normalizes by ${protocol.normalizedBy}, got none (pass reference)`);
  }
  if (protocol.visibleOnly && !face.visible) {
    throw new RangeError(`${name} scores visible landmarks only, got no visibility (pass visible)`);
  }
  if (protocol.similarity) preds = applySimilarity(preds, fitSimilarity(preds, target));
  return nme(preds, target, {
    normalizer: protocol.normalizer,
    alignDepth: protocol.alignDepth,
    visible: scoredVisibility(protocol, face.visible),
    reference: face.reference ?? face.target,
  });
}

/** A mapped landmark is visible when all that it is made of are. */
function scoredVisibility({ map }: Protocol, visible: ArrayLike<number> | undefined) {
  if (!map || visible?.length !== map.from.count) return visible;
  return map.sources.map((sources) => Number(sources.every((n) => visible[n])));
}

function scoredLandmarks(protocol: Protocol, shape: Landmarks, role: string): Landmarks {
  const { map, scheme, dims, name } = protocol;
  const count = countLandmarks(shape);
  if (count !== scheme.count && count !== map?.from.count) {
    const counts = map ? `${map.from.count} or ${scheme.count}` : `${scheme.count}`;
    throw new RangeError(`${name} needs ${counts} landmarks, got ${count} in ${role}`);
  }
  if (shape.dims < dims) throw new RangeError(`${name} needs 3D landmarks, got 2D in ${role}`);
  const flat = dims === 2 ? toPlane(shape) : shape;
  return map && count === map.from.count ? mapLandmarks(flat, map) : flat;
}
