import { type LandmarkScheme, SCHEMES } from '@voxface/landmarks';
import type { Annotation, Provenance } from './sample.ts';

/** One sample of a packed set. The picture is a slice of `images.bin`, or a `file` beside `set.json`. */
export interface PackedSample {
  readonly id: string;
  readonly file?: string;
  /** Bytes from the start of `images.bin`. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Pixels of the stored picture. */
  readonly width: number;
  readonly height: number;
  /** [n * dims] interleaved, pixels of the stored picture, 0-based, +z away from the camera. */
  readonly landmarks: readonly number[];
  /** x, y, width, height. */
  readonly box: readonly [number, number, number, number];
  readonly visible?: readonly number[];
  readonly occluded?: readonly number[];
  /** Degrees. */
  readonly yaw?: number;
  readonly attributes?: Readonly<Record<string, boolean | number | string>>;
  readonly provenance?: Provenance;
}

/** `set.json` of our own format. */
export interface PackedSet {
  readonly version: 1;
  readonly name: string;
  readonly dims: 2 | 3;
  readonly scheme: LandmarkScheme;
  readonly count: number;
  /** [width, height] when all pictures have the same size. */
  readonly imageSize: readonly [number, number] | null;
  readonly samples: readonly PackedSample[];
}

/**
 * Reads `set.json`.
 * @param where what to call it in errors.
 * @throws Error when it is no JSON, of another version, or a sample breaks a rule.
 */
export function parsePackedSet(text: string, where: string): PackedSet {
  let set: PackedSet;
  try {
    set = JSON.parse(text) as PackedSet;
  } catch (error) {
    throw new Error(
      `parsePackedSet: expected JSON, got ${(error as Error).message} in ${where} (truncated?)`,
      { cause: error },
    );
  }
  if (set.version !== 1)
    throw new Error(`parsePackedSet: expected version 1, got ${set.version} in ${where}`);
  if (set.dims !== 2 && set.dims !== 3)
    throw new Error(`parsePackedSet: dims must be 2 or 3, got ${set.dims} in ${where}`);
  if (!(typeof set.scheme === 'object' && set.scheme?.count > 0)) {
    throw new Error(
      `parsePackedSet: expected the annotation scheme, got ${JSON.stringify(set.scheme)} in ${where}`,
    );
  }
  if (!Array.isArray(set.samples) || set.samples.length !== set.count) {
    throw new Error(
      `parsePackedSet: count says ${set.count} samples, got ${set.samples?.length} in ${where}`,
    );
  }
  const expected = set.scheme.count * set.dims;
  for (const { id, landmarks } of set.samples) {
    if (landmarks.length !== expected || !landmarks.every(Number.isFinite)) {
      throw new Error(
        `parsePackedSet: expected ${expected} finite numbers per sample, got ${landmarks.length}${landmarks.every(Number.isFinite) ? '' : ' with gaps'} for ${id} in ${where}`,
      );
    }
  }
  return set;
}

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
