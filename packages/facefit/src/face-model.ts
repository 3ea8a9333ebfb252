import { traceContourPaths } from './contour-paths.ts';

/** Offsets from the mean head, one per mode. */
export interface FaceModes {
  readonly count: number;
  /** One name per mode. */
  readonly names: readonly string[];
  /** [count, v, 3], head axes, model units; a weight of 1 adds the mode once. */
  readonly offsets: Float32Array;
  /** [count] standard deviation of each weight under the prior. */
  readonly deviation: Float32Array;
  /** [count, 2] lowest and highest weight that the fit may give; mode is left out where both are 0. */
  readonly bounds: Float32Array;
}

/**
 * A linear 3D morphable face: vertices = mean + identity weights x identity modes + expression weights x expression
 * modes. Head axes: x to the picture's right when the face looks at the camera, y down, z into the head.
 */
export interface FaceModel {
  readonly name: string;
  readonly vertexCount: number;
  /** [v, 3]. */
  readonly mean: Float32Array;
  readonly identity: FaceModes;
  readonly expression: FaceModes;
  /** [t, 3] vertex indices of the skin: face, head and neck. */
  readonly triangles: Uint32Array;
  /** [68] vertices in iBUG order whose jaw (0..16) lies on the true 3D jaw line, as in 300W-LP and AFLW2000-3D. */
  readonly landmarks: Uint32Array;
  /** [68, 3] where the annotated point lies from its vertex on the mean head, head axes, model units. */
  readonly landmarkOffsets: Float32Array;
  /**
   * For jaw landmarks 0..16: vertices from the true jaw vertex across the cheek. The visible contour that 2D
   * annotators mark runs through one of them.
   */
  readonly contourPaths: readonly Uint32Array[];
}

/** What `createFaceModel` needs; arrays are kept, not copied. */
export interface FaceModelParts {
  name: string;
  mean: Float32Array;
  identity: FaceModes;
  expression: FaceModes;
  triangles: Uint32Array;
  landmarks: ArrayLike<number>;
  /** [68, 3] see `FaceModel.landmarkOffsets`. Default: zeros. */
  landmarkOffsets?: ArrayLike<number>;
  /** [first, last] vertex of the face skin on which the visible contour may run. Default: all vertices. */
  contourRange?: readonly [number, number];
}

/**
 * Checks the parts of a linear morphable face and traces the paths along which the visible contour slides.
 * @throws RangeError when array lengths or indices do not agree.
 */
export function createFaceModel(parts: FaceModelParts): FaceModel {
  const { name, mean, identity, expression, triangles } = parts;
  const vertexCount = mean.length / 3;
  for (const [what, modes] of [
    ['identity', identity],
    ['expression', expression],
  ] as const) {
    const { count, offsets, deviation, bounds, names } = modes;
    if (
      offsets.length !== count * mean.length ||
      deviation.length !== count ||
      bounds.length !== 2 * count ||
      names.length !== count
    ) {
      throw new RangeError(
        `createFaceModel: ${count} ${what} modes of ${vertexCount} vertices need ${count * mean.length} offsets, ${count} deviations and names, ${2 * count} bounds, got ${offsets.length}, ${deviation.length}, ${names.length}, ${bounds.length}`,
      );
    }
  }
  if (parts.landmarks.length !== 68) {
    throw new RangeError(
      `createFaceModel: expected 68 landmark vertices in iBUG order, got ${parts.landmarks.length}`,
    );
  }
  const landmarks = Uint32Array.from(parts.landmarks);
  for (const vertex of [...landmarks, ...triangles.subarray(0, 3)]) {
    if (vertex >= vertexCount) {
      throw new RangeError(
        `createFaceModel: vertex indices must be below ${vertexCount}, got ${vertex} (0-based indices)`,
      );
    }
  }
  const landmarkOffsets = Float32Array.from(parts.landmarkOffsets ?? new Float32Array(204));
  if (landmarkOffsets.length !== 204) {
    throw new RangeError(
      `createFaceModel: expected 68 x 3 landmark offsets, got ${landmarkOffsets.length} numbers`,
    );
  }
  const contourPaths = traceContourPaths(
    mean,
    landmarks,
    landmarkOffsets,
    parts.contourRange ?? [0, vertexCount - 1],
  );
  return {
    name,
    vertexCount,
    mean,
    identity,
    expression,
    triangles,
    landmarks,
    landmarkOffsets,
    contourPaths,
  };
}
