/**
 * How well fits of the 68 points of the Basel face model to people's points agree with a network, by the deviations that the fit
 * allows people. A network says what its training labels have in common; a setting whose fits lie nearer to it, even than the
 * labels that the network was taught with, scatters less. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/voxface/bench/label-fits.ts LANDMARKS.csv BFM_68 [model, small-300w-lp] [every, 10] [split, train]
 *
 * Mean distance in 3D from the prediction (`flip`) in percent of the square root of its box, and the share of faces beyond 8 %, by the
 * predicted yaw. With AFLW2000-3D's folder as a sixth argument, and people's points on its faces as the first: distance from
 * its published landmarks too.
 */
import { openDataset } from '@voxface/datasets/node';
import { type FitFaceOptions, fitFace } from '@voxface/facefit';
import { openBfm68 } from '@voxface/facefit/node';
import { boxOf, headPose, type Landmarks } from '@voxface/landmarks';
import { boxSize, nme } from '@voxface/metrics';
import { openModel } from '../src/photos/open-model.ts';

const [csv, bfmFolder, model = 'small-300w-lp', every = '10', split = 'train', published] =
  process.argv.slice(2);
const BOUNDS = [0, 20, 45, 65, 180];
/** Noise of the inner points and of the jaw, and the outlier limit. */
const SETTINGS: readonly (readonly [inner: number, jaw: readonly [number, number], outlier: number])[] = [
  [0.01, [0.02, 0.03], 4],
  [0.01, [0.05, 0.05], 4],
  [0.01, [0.1, 0.1], 4],
  [0.01, [0.2, 0.2], 4],
  [0.015, [0.04, 0.04], 4],
  [0.015, [0.06, 0.06], 4],
  [0.015, [0.08, 0.08], 4],
  [0.02, [0.07, 0.07], 4],
  [0.02, [0.07, 0.07], 3],
  [0.02, [0.1, 0.1], 4],
  [0.03, [0.12, 0.12], 4],
];

const bfm = await openBfm68(bfmFolder);
const { predictor } = await openModel(model, { flip: true });
const dataset = await openDataset(csv, split === 'all' ? {} : { split });
const truths = published === undefined ? undefined : await openDataset(published, { kind: 'aflw2000-3d' });
const rows = new Map(truths?.ids.map((id, i) => [id, i]));
const yaws: number[] = [];
const apart: Record<string, number[]>[] = [];
for (let i = 0; i < dataset.length; i += Number(every)) {
  const { id, image, landmarks, visible } = await dataset.load(i);
  const fits = SETTINGS.map(([noise, jawNoise, outlier]) => {
    const options: FitFaceOptions = { jaw: 'vertices', noise, jawNoise, outlier };
    return fitFace(bfm, landmarks, { ...options, ...(visible && { visible }) }).modelLandmarks;
  });
  const row = rows.get(id);
  if (truths && row === undefined) continue;
  const truth = truths && ((await truths.load(row!)).landmarks as Landmarks<3>);
  const box = boxOf(truth ?? fits[0]);
  const { landmarks: predicted } = await predictor.predict(image, box);
  yaws.push(Math.abs(headPose(predicted).yaw));
  apart.push({
    network: fits.map((fit) => distance(fit, predicted)),
    ...(truth && { published: [...fits, predicted].map((fit) => distance(fit, truth)) }),
  });
}

for (const what of Object.keys(apart[0])) {
  console.log(
    `\n${apart.length} faces, distance from the ${what === 'network' ? `predictions of ${model}` : 'published landmarks'}`,
  );
  const names = SETTINGS.map(([inner, jaw, outlier]) => `${inner}, ${jaw.join('/')}, ${outlier}`);
  for (const [k, name] of [...names, ...(what === 'published' ? [model] : [])].entries()) {
    const cells = [[0, 180], ...BOUNDS.slice(1).map((to, j) => [BOUNDS[j], to])].map(([from, to]) => {
      const own = apart.flatMap((of, j) => (yaws[j] >= from && yaws[j] < to ? [of[what][k]] : []));
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const far = own.filter((value) => value > 8).length / own.length;
      return `${from}..${to} (${own.length}): ${mean.toFixed(2)}, ${(100 * far).toFixed(0)} %`;
    });
    console.log(`${name.padEnd(20)} ${cells.join(' | ')}`);
  }
}
predictor.dispose();

/** Mean distance in percent of the square root of the second shape's box, both with zero mean depth. */
function distance(one: Landmarks<3>, other: Landmarks<3>): number {
  return 100 * nme(one, other, { normalizer: boxSize, alignDepth: 'mean' });
}
