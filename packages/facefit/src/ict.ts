import type { FaceModes } from './face-model.ts';

/**
 * Expression modes that a still photo's 68 points say nothing about, or (mouthClose) that only mean something
 * together with another one.
 */
const UNUSED = /^(PupilDilate|eyeLookIn|eyeLookOut|mouthClose)/;

/** ICT-FaceKit's modes: identity weights are standard deviations within 3, expression weights run from 0 to 1. */
export function ictModes(
  identity: Float32Array,
  identityNames: readonly string[],
  expression: Float32Array,
  expressionNames: readonly string[],
): { identity: FaceModes; expression: FaceModes } {
  return {
    identity: modes(identity, identityNames, 1, () => [-3, 3]),
    expression: modes(expression, expressionNames, 0.5, (name) => (UNUSED.test(name) ? [0, 0] : [0, 1])),
  };
}

/** y up, z out of the face -> y down, z into the head: half a turn about x, in place. */
export function toHeadAxes(points: Float32Array): void {
  for (let i = 0; i < points.length; i += 3) {
    points[i + 1] = -points[i + 1];
    points[i + 2] = -points[i + 2];
  }
}

function modes(
  offsets: Float32Array,
  names: readonly string[],
  deviation: number,
  bound: (name: string) => [number, number],
): FaceModes {
  return {
    count: names.length,
    names,
    offsets,
    deviation: new Float32Array(names.length).fill(deviation),
    bounds: Float32Array.from(names.flatMap(bound)),
  };
}

/**
 * Where the annotated points lie from ICT-FaceKit's landmark vertices on the neutral head [68, 3]: centimetres, head
 * axes (x to the picture's right, y down, z into the head), left-right symmetric.
 *
 * 17..67 (x, y): mean residual of fits to near-frontal faces of the AFW and HELEN training annotations, by
 * `bench/calibrate-inner-landmarks.ts`. 0..16: the jaw line of the 300W-LP convention, which runs under the edge of the jaw, behind
 * ICT's vertices; from fits of the Basel face model's 68 points to training annotations, by `bench/calibrate-jaw.ts`.
 */
export const ICT_LANDMARK_OFFSETS: readonly number[] = [
  0, 0.7, 1, 0, 0.4, 0.8, 0.1, -0.1, 0.6, 0, -0.9, 1, -0.5, -0.8, 1.8, -0.5, -0.1, 1.7, -0.5, -0.2, 1.5, -0.5,
  0, 1.1, 0, 0, 0.7, 0.5, 0, 1.1, 0.5, -0.2, 1.5, 0.5, -0.1, 1.7, 0.5, -0.8, 1.8, 0, -0.9, 1, -0.1, -0.1, 0.6,
  0, 0.4, 0.8, 0, 0.7, 1, -0.26, 0.65, 0, -0.29, 0.33, 0, -0.14, 0.13, 0, -0.12, 0.12, 0, -0.03, 0.27, 0,
  0.03, 0.27, 0, 0.12, 0.12, 0, 0.14, 0.13, 0, 0.29, 0.33, 0, 0.26, 0.65, 0, 0, -0.26, 0, 0, -0.16, 0, 0,
  -0.02, 0, 0, -0.02, 0, -0.21, -0.2, 0, -0.14, -0.09, 0, 0, 0.01, 0, 0.14, -0.09, 0, 0.21, -0.2, 0, -0.1,
  -0.05, 0, 0.13, -0.21, 0, 0.01, -0.15, 0, -0.11, -0.12, 0, -0.13, -0.11, 0, 0.06, -0.12, 0, 0.11, -0.12, 0,
  -0.01, -0.15, 0, -0.13, -0.21, 0, 0.1, -0.05, 0, -0.06, -0.12, 0, 0.13, -0.11, 0, -0.35, -0.17, 0, -0.03,
  0.14, 0, 0.06, 0.22, 0, 0, 0.32, 0, -0.06, 0.22, 0, 0.03, 0.14, 0, 0.35, -0.17, 0, 0.02, -0.3, 0, -0.27,
  -0.38, 0, 0, -0.49, 0, 0.27, -0.38, 0, -0.02, -0.3, 0, -0.23, -0.2, 0, 0.33, 0.05, 0, 0, 0.09, 0, -0.33,
  0.05, 0, 0.23, -0.2, 0, -0.36, -0.37, 0, 0, -0.48, 0, 0.36, -0.37, 0,
];

/** Vertex numbers of ICT-FaceKit's fixed topology; the packed arrays and the original `.obj` files share them. */
export const ICT_TOPOLOGY: {
  /** Landmarks 0..16 on the true jaw line, 17..67 as published with the model. */
  readonly landmarks: readonly number[];
  /** Last vertex of the skin (face, head, neck). */
  readonly skinLast: number;
  /** First and last vertex of the front of the face. */
  readonly narrowFace: readonly [number, number];
} = {
  landmarks: [
    1278, 1272, 12, 1834, 243, 781, 2199, 1447, 966, 3661, 4390, 3022, 2484, 4036, 2253, 3490, 3496, 268, 493,
    1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507,
    1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213,
    6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
  ],
  skinLast: 11247,
  narrowFace: [0, 6705],
};
