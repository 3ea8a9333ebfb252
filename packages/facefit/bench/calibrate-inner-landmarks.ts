/**
 * Derives the offsets of landmarks 17..67 in `src/ict-landmark-offsets.ts`: the mean residual of near-frontal fits
 * (|yaw|, |pitch| < 20 degrees) to every third face of AFW + HELEN train, in head axes, left-right symmetric, added
 * up over six rounds. Wide tolerances keep the fit from bending the face toward the points. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/facefit/bench/calibrate-inner-landmarks.ts [every, 3]
 */
import { IBUG_68, mirrorIndices } from '@voxface/landmarks';
import { createFaceModel, fitFace } from '../src/index.ts';
import { openFaceModel } from '../src/node.ts';
import { addSymmetric, FACEKIT, readTrainingFaces } from './real-faces.ts';

const ROUNDS = 6;
/** Share of a round's residual that is added. */
const STEP = 0.8;
const INNER = Array.from({ length: 51 }, (_, i) => i + 17);

const every = Number(process.argv[2] ?? 3);
const faces = (await readTrainingFaces()).filter((_, i) => i % every === 0);
const published = await openFaceModel(FACEKIT);
const partner = [...mirrorIndices(IBUG_68)];
let offsets: Float32Array = new Float32Array(204);
for (let round = 1; round <= ROUNDS; round++) {
  const model = createFaceModel({ ...published, landmarkOffsets: offsets, contourRange: [0, 6705] });
  const residual = new Float64Array(136);
  let error = 0;
  let count = 0;
  for (const face of faces) {
    const fit = fitFace(model, face, {
      noise: 0.03,
      jawNoise: [0.03, 0.1],
      outlier: 6,
      identityModes: 30,
      iterations: 9,
    });
    if (Math.abs(fit.pose.yaw) > 20 || Math.abs(fit.pose.pitch) > 20) continue;
    count += 1;
    error += fit.error.inner;
    const roll = (fit.pose.roll * Math.PI) / 180;
    const [cosine, sine] = [Math.cos(roll), Math.sin(roll)];
    for (const i of INNER) {
      const x = (face.points[face.dims * i] - fit.modelLandmarks.points[3 * i]) / fit.scale;
      const y = (face.points[face.dims * i + 1] - fit.modelLandmarks.points[3 * i + 1]) / fit.scale;
      residual[2 * i] += cosine * x + sine * y;
      residual[2 * i + 1] += -sine * x + cosine * y;
    }
  }
  offsets = addSymmetric(offsets, INNER, partner, (i) => [
    (STEP * residual[2 * i]) / count,
    (STEP * residual[2 * i + 1]) / count,
    0,
  ]);
  console.log(
    `round ${round}: ${count} of ${faces.length} faces, mean error of 17..67 before it ${((100 * error) / count).toFixed(2)} %`,
  );
}
const furthest = published.landmarkOffsets.reduce(
  (most, value, k) => (k < 51 ? most : Math.max(most, Math.abs(value - offsets[k]))),
  0,
);
console.log(`largest difference to the source file: ${furthest.toFixed(2)} cm`);
console.log('offsets of 17..67, centimetres:');
console.log(JSON.stringify([...offsets.subarray(51)].map((value) => Number(value.toFixed(2)))));
