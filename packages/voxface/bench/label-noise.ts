/**
 * What an error on AFLW2000-3D is made of. People marked 1564 of its faces too (MERL-RAV); a fit to their points, the published
 * landmarks and a network are three opinions. Where the errors of the three go their own ways, the squares of the distances between
 * them are sums: fit and published p² + f², network and published p² + n², network and fit n² + f². A network is taught by such
 * fits: what errors both have in common counts as p. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/voxface/bench/label-noise.ts DATA [model, small-300w-lp] [every, 1]
 *
 * DATA is the folder with aflw2000-3d-full, bfm-68 and ict-facekit. Means of 3D distances in percent of the square root of the published box,
 * by the published pose.
 */
import { join } from 'node:path';
import { openDataset } from '@voxface/datasets/node';
import { conformLandmarks } from '@voxface/facefit';
import { openBfm68, openFaceModel } from '@voxface/facefit/node';
import { boxOf, type HeadPose, headPose, type Landmarks } from '@voxface/landmarks';
import { boxSize, nme } from '@voxface/metrics';
import { openModel } from '../src/photos/open-model.ts';

/** One face: its published pose, and how far the three opinions lie apart. */
interface Face {
  readonly pose: HeadPose;
  readonly fitPublished: number;
  readonly networkPublished: number;
  readonly networkFit: number;
}

const GROUPS: readonly (readonly [
  name: string,
  of: (pose: HeadPose) => number,
  bounds: readonly number[],
])[] = [
  ['yaw, either way,', ({ yaw }) => Math.abs(yaw), [0, 30, 60, 181]],
  ['pitch', ({ pitch }) => pitch, [-91, -40, -30, -15, -5, 5, 15, 30, 40, 91]],
  ['roll, either way,', ({ roll }) => Math.abs(roll), [0, 15, 30, 45, 181]],
];

const [data = '', model = 'small-300w-lp', every = '1'] = process.argv.slice(2);
const faces = await measureFaces();
console.log('| faces | number | fit, published | network, published | network, fit | p | n | f |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
printRow('all', faces);
for (const [name, of, bounds] of GROUPS) {
  for (const [k, to] of bounds.slice(1).entries()) {
    const inside = faces.filter(({ pose }) => of(pose) >= bounds[k] && of(pose) < to);
    if (inside.length > 0) printRow(`${name} ${bounds[k]} to ${to}`, inside);
  }
}

async function measureFaces(): Promise<Face[]> {
  const folder = join(data, 'aflw2000-3d-full');
  const bfm = await openBfm68(join(data, 'bfm-68'));
  const head = await openFaceModel(join(data, 'ict-facekit'));
  const published = await openDataset(folder, { kind: 'aflw2000-3d' });
  const people = await openDataset(join(folder, 'merl-rav-68.csv'), { images: folder });
  const { predictor } = await openModel(model, { flip: true });
  const rows = new Map(published.ids.map((id, i) => [id, i]));
  const found: Face[] = [];
  for (let i = 0; i < people.length; i += Number(every)) {
    const { id, landmarks, visible } = await people.load(i);
    const row = rows.get(id);
    if (row === undefined) continue;
    const { image, landmarks: truth } = await published.load(row);
    const fit = conformLandmarks(bfm, landmarks, { ...(visible && { visible }), head });
    const network = (await predictor.predict(image, boxOf(truth))).landmarks;
    const apart = (one: Landmarks, other: Landmarks): number =>
      100 * nme(one, other, { normalizer: boxSize, reference: truth, alignDepth: 'mean' });
    found.push({
      pose: headPose(truth as Landmarks<3>),
      fitPublished: apart(fit, truth),
      networkPublished: apart(network, truth),
      networkFit: apart(network, fit),
    });
  }
  predictor.dispose();
  return found;
}

function printRow(name: string, list: readonly Face[]): void {
  const mean = (of: (face: Face) => number): number =>
    list.reduce((sum, face) => sum + of(face), 0) / list.length;
  const [a, b, c] = [
    mean(({ fitPublished }) => fitPublished),
    mean(({ networkPublished }) => networkPublished),
    mean(({ networkFit }) => networkFit),
  ];
  // A negative sum says that errors do not go their own ways there.
  const share = (twice: number): string => (twice < 0 ? '-' : Math.sqrt(twice / 2).toFixed(2));
  const shares = [a * a + b * b - c * c, b * b + c * c - a * a, a * a + c * c - b * b].map(share);
  const cells = [name, list.length, ...[a, b, c].map((value) => value.toFixed(2)), ...shares];
  console.log(`| ${cells.join(' | ')} |`);
}
