import { type LandmarkScheme, SCHEMES } from '@voxface/landmarks';
import type { PackedSample, PackedSet } from './packed-set.ts';
import type { Annotation } from './sample.ts';

/** The scheme of a packed set: the known one of that name, else the one stored in the set. */
export function schemeOfSet({ scheme }: PackedSet): LandmarkScheme {
  return Object.hasOwn(SCHEMES, scheme.name) ? SCHEMES[scheme.name] : scheme;
}

/** A packed sample's annotation. */
export function unpackSample(sample: PackedSample, set: PackedSet, scheme: LandmarkScheme): Annotation {
  const { id, landmarks, box, visible, occluded, yaw, attributes, provenance } = sample;
  return {
    id,
    landmarks: { points: Float32Array.from(landmarks), dims: set.dims },
    scheme,
    box: { x: box[0], y: box[1], width: box[2], height: box[3] },
    ...(visible && { visible: Uint8Array.from(visible) }),
    ...(occluded && { occluded: Uint8Array.from(occluded) }),
    ...(yaw !== undefined && { yaw }),
    ...(attributes && { attributes }),
    provenance: provenance ?? { dataset: set.name, files: ['set.json'], conversions: [] },
  };
}
