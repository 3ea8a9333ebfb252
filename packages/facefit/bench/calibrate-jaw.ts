/**
 * Derives the offsets of landmarks 0..16 in `src/ict-landmark-offsets.ts`: where the jaw line of the 300W-LP
 * convention runs on ICT-FaceKit's head. Median 3D residual, in head axes, of fits to AFLW2000-3D's ground truths,
 * left-right symmetric, added up over six rounds, rounded to a millimetre. Every 16th face serves; the six sample
 * files never do, and are measured at the end with as many others. Uses 3D labels only: no photo, no detector. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/facefit/bench/calibrate-jaw.ts [stride, 16]
 */
import { boxOf, IBUG_68, mirrorIndices } from '@voxface/landmarks';
import { createFaceModel, type FaceModel, type FitFaceOptions, fitFace } from '../src/index.ts';
import { openFaceModel } from '../src/node.ts';
import { type Aflw2000Face, addSymmetric, aflw2000Parts, FACEKIT, quantile } from './real-faces.ts';

const ROUNDS = 6;
/** Share of a round's residual that is added. */
const STEP = 0.7;
/** Wide tolerances keep the fit from bending the face toward the points. */
const WIDE: FitFaceOptions = {
  jaw: 'vertices',
  noise: 0.03,
  jawNoise: [0.03, 0.03],
  identityModes: 30,
  iterations: 9,
};
const JAW = Array.from({ length: 17 }, (_, i) => i);

const { calibration, held, samples } = await aflw2000Parts(Number(process.argv[2] ?? 16));
const model = await openFaceModel(FACEKIT);
const partner = [...mirrorIndices(IBUG_68)];
let offsets: Float32Array = Float32Array.from(model.landmarkOffsets);
offsets.fill(0, 0, 51);
for (let round = 1; round <= ROUNDS; round++) {
  const residuals = residualsOf(withOffsets(model, offsets), calibration);
  offsets = addSymmetric(offsets, JAW, partner, (i) => [
    STEP * quantile(residuals[3 * i], 0.5),
    STEP * quantile(residuals[3 * i + 1], 0.5),
    STEP * quantile(residuals[3 * i + 2], 0.5),
  ]);
  console.log(`round ${round}: ${calibration.length} faces, offsets ${format(offsets)}`);
}
offsets = offsets.map((value, k) => (k < 51 ? Math.round(10 * value) / 10 : value));
console.log('offsets of 0..16, centimetres:');
console.log(format(offsets));
for (const [name, given] of [
  ['ICT vertices', offsets.map((value, k) => (k < 51 ? 0 : value))],
  ['source file', model.landmarkOffsets],
  ['these offsets', offsets],
] as const) {
  const moved = withOffsets(model, given);
  console.log(
    `${name}: |z| error, held-out ${depthError(moved, held)}, the six samples ${depthError(moved, samples)}`,
  );
}

function withOffsets(base: FaceModel, landmarkOffsets: Float32Array): FaceModel {
  return createFaceModel({ ...base, landmarkOffsets, contourRange: [0, 6705] });
}

/** [51] lists of residuals of jaw landmarks, head axes, centimetres, after depth alignment over 17..67. */
function residualsOf(fitted: FaceModel, list: readonly Aflw2000Face[]): number[][] {
  const residuals = Array.from({ length: 51 }, (): number[] => []);
  for (const { landmarks } of list) {
    const fit = fitFace(fitted, landmarks, WIDE);
    const found = fit.modelLandmarks.points;
    let shift = 0;
    for (let i = 17; i < 68; i++) shift += (landmarks.points[3 * i + 2] - found[3 * i + 2]) / 51;
    const r = fit.rotation;
    for (const i of JAW) {
      const [x, y, z] = [0, 1, 2].map((axis) => landmarks.points[3 * i + axis] - found[3 * i + axis]);
      for (let axis = 0; axis < 3; axis++) {
        residuals[3 * i + axis].push((r[axis] * x + r[3 + axis] * y + r[6 + axis] * (z - shift)) / fit.scale);
      }
    }
  }
  return residuals;
}

/** Mean |z| error after mean alignment over sqrt(width x height), percent. */
function depthError(fitted: FaceModel, list: readonly Aflw2000Face[]): string {
  let sum = 0;
  for (const { landmarks } of list) {
    const { points } = fitFace(fitted, landmarks, { jaw: 'vertices' }).landmarks;
    const { width, height } = boxOf(landmarks);
    let error = 0;
    for (let i = 0; i < 68; i++) error += Math.abs(points[3 * i + 2] - landmarks.points[3 * i + 2]) / 68;
    sum += error / Math.sqrt(width * height) / list.length;
  }
  return `${(100 * sum).toFixed(2)} % of ${list.length} faces`;
}

function format(values: Float32Array): string {
  return JSON.stringify([...values.subarray(0, 51)].map((value) => Number(value.toFixed(2))));
}
