/**
 * Derives the offsets of landmarks 0..16 in `src/ict-landmark-offsets.ts`: where the jaw line of the 300W-LP
 * convention runs on ICT-FaceKit's head. For every face of the training annotations the 68 points of the Basel face model
 * (`openBfm68`, the basis of 300W-LP) are fitted beside ICT-FaceKit's head; its points are brought onto the head by the similarity of the
 * inner 51, and the median place of each jaw point, in head axes, left-right symmetric, rounded to a millimetre, is the offset.
 * Training annotations only, near-frontal faces (|yaw| < 25 degrees), where the annotated jaw is the true one. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/facefit/bench/calibrate-jaw.ts [every, 2]
 */
import { applySimilarity, fitSimilarity, IBUG_68, mirrorIndices, selectLandmarks } from '@voxface/landmarks';
import { fitFace, LABEL_FIT_DEFAULTS } from '../src/index.ts';
import { openBfm68, openFaceModel } from '../src/node.ts';
import { addSymmetric, BFM_68, FACEKIT, quantile, readTrainingFaces } from './real-faces.ts';

const INNER = Array.from({ length: 51 }, (_, i) => i + 17);
const JAW = Array.from({ length: 17 }, (_, i) => i);

const every = Number(process.argv[2] ?? 2);
const [ict, bfm] = [await openFaceModel(FACEKIT), await openBfm68(BFM_68)];
const places = Array.from({ length: 51 }, (): number[] => []);
let count = 0;
for (const landmarks of (await readTrainingFaces()).filter((_, i) => i % every === 0)) {
  const head = fitFace(ict, landmarks);
  if (Math.abs(head.pose.yaw) > 25) continue;
  count++;
  const basel = fitFace(bfm, landmarks, LABEL_FIT_DEFAULTS).modelLandmarks;
  const onto = fitSimilarity(selectLandmarks(basel, INNER), selectLandmarks(head.modelLandmarks, INNER));
  const { points } = applySimilarity(basel, onto);
  const own = head.modelLandmarks.points;
  const r = head.rotation;
  for (const i of JAW) {
    const [x, y, z] = [0, 1, 2].map((axis) => (points[3 * i + axis] - own[3 * i + axis]) / head.scale);
    for (let axis = 0; axis < 3; axis++) {
      places[3 * i + axis].push(
        ict.landmarkOffsets[3 * i + axis] + r[axis] * x + r[3 + axis] * y + r[6 + axis] * z,
      );
    }
  }
}
const offsets = addSymmetric(new Float32Array(204), JAW, [...mirrorIndices(IBUG_68)], (i) => [
  quantile(places[3 * i], 0.5),
  quantile(places[3 * i + 1], 0.5),
  quantile(places[3 * i + 2], 0.5),
]);
const spread = JAW.map((i) => quantile(places[3 * i + 2], 0.75) - quantile(places[3 * i + 2], 0.25));
console.log(`${count} faces; offsets of 0..16, centimetres:`);
console.log(JSON.stringify([...offsets.subarray(0, 51)].map((value) => Math.round(10 * value) / 10)));
console.log(`quartile ranges of z: ${spread.map((value) => value.toFixed(1)).join(', ')}`);
