/**
 * Accuracy and speed of `fitFace` with its defaults. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/facefit/bench/fit-accuracy.ts [every, 1]
 *
 * AFW + HELEN + LFPW train: errors over sqrt(width x height) of the landmark box, inner points 17..67 and jaw against its
 * contour vertex; faces turned inside out (looking away from the camera, or the nose behind the ends of the jaw);
 * speed. AFLW2000-3D, from the 2D points: yaw error and |z| error after mean alignment, for the six sample files and for
 * a 16th of the others, by ICT-FaceKit and by the 68 points of the Basel face model.
 */
import { boxOf } from '@voxface/landmarks';
import { type FaceFit, type FaceModel, fitFace } from '../src/index.ts';
import { openBfm68, openFaceModel } from '../src/node.ts';
import {
  type Aflw2000Face,
  aflw2000Parts,
  BFM_68,
  FACEKIT,
  quantile,
  readTrainingFaces,
} from './real-faces.ts';

const model = await openFaceModel(FACEKIT);
const every = Number(process.argv[2] ?? 1);
const faces = (await readTrainingFaces()).filter((_, i) => i % every === 0);
fitFace(model, faces[0]);
const begun = performance.now();
const cpu = process.cpuUsage();
const fits = faces.map((face) => fitFace(model, face));
const { user, system } = process.cpuUsage(cpu);
const wall = (performance.now() - begun) / 1000;
console.log(`AFW + HELEN + LFPW train, ${faces.length} faces`);
for (const [name, errors] of [
  ['inner 51', fits.map((fit) => fit.error.inner)],
  ['jaw', fits.map((fit) => fit.error.jaw)],
] as const) {
  console.log(`  ${name}: median ${percent(quantile(errors, 0.5))}, p95 ${percent(quantile(errors, 0.95))}`);
}
console.log(`  inside out: ${fits.filter(isInsideOut).length}`);
console.log(
  `  ${(faces.length / wall).toFixed(1)} faces/s wall, ${((1e6 * faces.length) / (user + system)).toFixed(1)} faces per second of processor time`,
);

const { held, samples } = await aflw2000Parts();
const basel = await openBfm68(BFM_68);
for (const [name, list, head] of [
  ['six sample files, ICT-FaceKit', samples, model],
  ['every 16th row, ICT-FaceKit', held, model],
  ['six sample files, Basel face model', samples, basel],
  ['every 16th row, Basel face model', held, basel],
] as const) {
  const scores = list.map((face) => score(head, face));
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [depths, yaws] = [scores.map(({ depth }) => depth), scores.map(({ yaw }) => yaw)];
  console.log(`AFLW2000-3D, ${name} (${list.length} faces)`);
  console.log(
    `  |z|: mean ${percent(mean(depths))}, median ${percent(quantile(depths, 0.5))}, p95 ${percent(quantile(depths, 0.95))}`,
  );
  console.log(`  yaw: mean ${mean(yaws).toFixed(2)}, median ${quantile(yaws, 0.5).toFixed(2)} degrees`);
  for (const [from, to] of [
    [0, 30],
    [30, 60],
    [60, 180],
  ]) {
    const bin = depths.filter((_, i) => Math.abs(list[i].yaw) >= from && Math.abs(list[i].yaw) < to);
    if (list.length > 6)
      console.log(`  |z|, yaw ${from} to ${to}: mean ${percent(mean(bin))} (${bin.length})`);
  }
}

function score(head: FaceModel, { landmarks, yaw }: Aflw2000Face): { depth: number; yaw: number } {
  const fit = fitFace(head, landmarks, { jaw: 'vertices' });
  const { width, height } = boxOf(landmarks);
  let depth = 0;
  for (let i = 0; i < 68; i++) {
    depth += Math.abs(fit.landmarks.points[3 * i + 2] - landmarks.points[3 * i + 2]) / 68;
  }
  const turn = Math.abs(fit.pose.yaw - yaw) % 360;
  return { depth: depth / Math.sqrt(width * height), yaw: Math.min(turn, 360 - turn) };
}

function isInsideOut({ rotation, modelLandmarks: { points } }: FaceFit): boolean {
  return rotation[8] <= 0 || points[3 * 30 + 2] >= (points[3 * 0 + 2] + points[3 * 16 + 2]) / 2;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
