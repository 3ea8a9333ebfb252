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
