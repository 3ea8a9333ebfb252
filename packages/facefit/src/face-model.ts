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
  /** [68, 3] see `FaceModel.landmarkOffsets`. @default zeros */
  landmarkOffsets?: ArrayLike<number>;
  /** [first, last] vertex of the face skin on which the visible contour may run. @default all vertices */
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

/** Steps along each path. */
const STEPS = 14;
/** Share of the way from the jaw vertex to the midline that a path covers. */
const REACH = 0.85;

/**
 * Paths over the cheek along which the visible contour slides as the head turns ("parallels" of Zhu et al., CVPR
 * 2015). The head is unrolled around its vertical axis; from each jaw vertex a line runs toward the midline:
 * level at the ears, rising to the mouth at the chin. Each path lists the nearest vertices, without repeats.
 * @param mean [v, 3] head axes (y down, z into the head).
 * @param landmarks [68] with the true 3D jaw line.
 * @param offsets [68, 3] of the landmarks from their vertices.
 * @param range first and last vertex that may serve.
 */
function traceContourPaths(
  mean: Float32Array,
  landmarks: ArrayLike<number>,
  offsets: ArrayLike<number>,
  range: readonly [number, number],
): Uint32Array[] {
  const vertex = (index: number, axis: number): number =>
    mean[3 * landmarks[index] + axis] + offsets[3 * index + axis];
  const axisX = (vertex(0, 0) + vertex(16, 0)) / 2;
  const axisZ = (vertex(0, 2) + vertex(16, 2)) / 2;
  const lipY = vertex(57, 1);
  const count = range[1] - range[0] + 1;
  const radius = Math.abs(vertex(16, 0) - axisX);
  const unrolled = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    const at = 3 * (range[0] + i);
    unrolled[2 * i] = radius * Math.atan2(mean[at] - axisX, axisZ - mean[at + 2]);
    unrolled[2 * i + 1] = mean[at + 1];
  }
  return Array.from({ length: 17 }, (_, k) => {
    const fromU = radius * Math.atan2(vertex(k, 0) - axisX, axisZ - vertex(k, 2));
    const fromV = vertex(k, 1);
    const toU = fromU * (1 - REACH);
    const rise = Math.max(0, 1 - Math.abs(k - 8) / 6);
    const toV = fromV + rise * REACH * (lipY - fromV);
    const path: number[] = [];
    for (let step = 0; step <= STEPS; step++) {
      const t = step / STEPS;
      const best = nearest(unrolled, fromU + t * (toU - fromU), fromV + t * (toV - fromV)) + range[0];
      if (!path.includes(best)) path.push(best);
    }
    return Uint32Array.from(path);
  });
}

function nearest(points: Float64Array, u: number, v: number): number {
  let best = 0;
  let bestDistance = Infinity;
  for (let i = 0; i < points.length / 2; i++) {
    const distance = (points[2 * i] - u) ** 2 + (points[2 * i + 1] - v) ** 2;
    if (distance < bestDistance) {
      bestDistance = distance;
      best = i;
    }
  }
  return best;
}

/**
 * Vertices of the model for given weights: mean + identity + expression.
 * @param identity [identity count] standard deviations.
 * @param expression [expression count].
 * @param count how many vertices, from the first. Default: all.
 * @returns [count, 3] head axes, model units.
 */
export function reconstructVertices(
  model: FaceModel,
  identity: ArrayLike<number>,
  expression: ArrayLike<number>,
  count: number = model.vertexCount,
): Float32Array {
  const vertices = model.mean.slice(0, count * 3);
  for (const [modes, weights] of [
    [model.identity, identity],
    [model.expression, expression],
  ] as const) {
    for (let mode = 0; mode < modes.count; mode++) {
      const weight = weights[mode];
      if (!weight) continue;
      const offsets = modes.offsets.subarray(mode * model.mean.length, mode * model.mean.length + count * 3);
      for (let i = 0; i < offsets.length; i++) vertices[i] += weight * offsets[i];
    }
  }
  return vertices;
}

/**
 * Refuses a face whose landmarks do not lie as a face's do in head axes (x to the picture's right, y down, z into the
 * head): the subject's right eye left of the left one, the chin below the nose bridge, the nose tip before the ends
 * of the jaw. Catches mirrored or turned axes, and lists of landmarks of another order or numbering.
 * @param mean [v, 3].
 * @param landmarks [68] vertices.
 */
export function checkHeadAxes(mean: Float32Array, landmarks: ArrayLike<number>, where: string): void {
  const at = (landmark: number, axis: number): number => mean[3 * landmarks[landmark] + axis];
  const rules: readonly [string, boolean][] = [
    ['landmark 36 (right eye) left of 45 (left eye)', at(36, 0) < at(45, 0)],
    ['landmark 0 (right end of the jaw) left of 16', at(0, 0) < at(16, 0)],
    ['landmark 8 (chin) below 27 (nose bridge)', at(8, 1) > at(27, 1)],
    ['landmark 30 (nose tip) before 0 and 16 (ends of the jaw)', at(30, 2) < Math.min(at(0, 2), at(16, 2))],
  ];
  const broken = rules.find(([, holds]) => !holds);
  if (broken) {
    throw new Error(
      `checkHeadAxes: expected ${broken[0]}, got otherwise in ${where} (other axes? a list of landmarks in another order, or counted from 1?)`,
    );
  }
}
